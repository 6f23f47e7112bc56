/** How many were found, how far back has been looked, and what to do where there is nothing. */
import { setFilters } from "../../shared/address";
import * as say from "../../shared/format";
import { Empty, firstRequest, Trouble } from "../../shared/parts";
import type { RequestList } from "./list";
import { filtersOf, noFilters, type Query } from "./query";

interface ProgressProps {
  readonly list: RequestList;
  readonly query: Query;
  /** Whether the list is still that of an earlier question. */
  readonly isOld: boolean;
}

/** The line under the table. */
export function Progress({ list, query, isOld }: ProgressProps) {
  const { count, next, total, isTotalExact, isLoading, isSearching, searchedTo, error } = list.state.value;
  if (error && count > 0) return <Trouble error={error} retry={list.retry} />;
  const found = () => {
    if (next === undefined || isOld) return "";
    if (next === null || isTotalExact) return say.plural(next === null ? count : total, "request");
    if (isSearching) return total === 0 ? "None found so far" : `${say.plural(total, "request")} so far`;
    return `At least ${say.plural(total, "request")}`;
  };
  const reached =
    searchedTo === null
      ? ""
      : `: all ${query.order === "asc" ? "until" : "since"} ${say.time(new Date(searchedTo))} looked at`;
  const words = () => {
    if (next === undefined || isOld) return "Looking…";
    if (isLoading) return isSearching ? `Searching${reached}…` : "Loading more…";
    return next === null && count > 0 ? "That is all." : "";
  };
  return (
    <footer>
      <span>{found()}</span>
      <span role="status">{words()}</span>
    </footer>
  );
}

/** In the place of rows, where there are none. */
export function Nothing({ query }: { readonly query: Query }) {
  if (filtersOf(query).length > 0)
    return (
      <div class="empty">
        <p>No request fits these filters.</p>
        <p>
          <button type="button" class="button" onClick={() => setFilters(noFilters)}>
            Show all requests
          </button>
        </p>
      </div>
    );
  return (
    <Empty command={firstRequest()}>
      No request is on record yet. The first comes in here by itself when it has ended:
    </Empty>
  );
}
