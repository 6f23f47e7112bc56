/** A row of the table, and what is above it. */
import { filters, hrefOf, setFilters } from "../../shared/address";
import * as say from "../../shared/format";
import { outcomeWords } from "../../shared/outcomes";
import { Time } from "../../shared/parts";
import type { RequestColumn } from "./columns";
import type { Query, Row } from "./query";

/** The address of an open request: it keeps the filters, so that closing leads back. */
export function hrefTo(id: string): string {
  return hrefOf("requests", Object.fromEntries(filters.value), [id]);
}

type HeadProps = { readonly query: Query } & Pick<RequestColumn, "name" | "title"> & {
    readonly [name in "sort" | "isNumber" | "isMinor" | "width"]?: RequestColumn[name] | undefined;
  };

export function Head({ name, title, sort, isNumber, isMinor, width, query }: HeadProps) {
  const { sort: by = "timestamp", order = "desc" } = query;
  const isSorted = sort === by;
  const turned = isSorted && order === "desc" ? "asc" : "desc";
  const choose = () =>
    setFilters({
      sort: sort === "timestamp" ? null : (sort ?? null),
      order: turned === "desc" ? null : turned,
    });
  return (
    <th
      scope="col"
      class={classOf(name, isNumber, isMinor)}
      style={width ? { width: `var(--${name}-width, ${width}px)` } : undefined}
      aria-sort={isSorted ? (order === "desc" ? "descending" : "ascending") : undefined}
    >
      {sort ? (
        <button type="button" class="sort" onClick={choose}>
          {title}
        </button>
      ) : (
        title
      )}
    </th>
  );
}

interface RequestRowProps {
  readonly row: Row;
  /** Its place in the list. */
  readonly at: number;
  readonly columns: readonly RequestColumn[];
  readonly isOpen: boolean;
  /** Whether the Tab key comes to it. */
  readonly isReached: boolean;
  readonly reached: (id: string) => void;
}

/** The whole row is its link. */
export function RequestRow({ row, at, columns, isOpen, isReached, reached }: RequestRowProps) {
  const { id, timestamp, model, outcome } = row;
  const time = new Date(timestamp);
  return (
    <tr class={isOpen ? "open" : ""} aria-rowindex={at + 2}>
      <td class="col-time">
        <a
          href={hrefTo(id)}
          title={say.utc(time)}
          aria-label={`${say.time(time, true)}, ${model ?? "no model"}, ${outcomeWords[outcome]}`}
          aria-current={isOpen ? "true" : undefined}
          tabIndex={isReached ? 0 : -1}
          onFocus={() => reached(id)}
        >
          <Time at={timestamp} exact />
        </a>
      </td>
      {columns.map(({ name, cell, isNumber, isMinor }) => (
        <td key={name} class={classOf(name, isNumber, isMinor)} dir={isText(name) ? "auto" : undefined}>
          {cell(row)}
        </td>
      ))}
    </tr>
  );
}

/** What somebody wrote, in whatever language: cut at its end, which is at the left of some. */
function isText(name: string): boolean {
  return name === "prompt" || name === "response";
}

function classOf(name: string, isNumber = false, isMinor = false): string {
  return [`col-${name}`, isNumber && "number", isMinor && "minor"].filter(Boolean).join(" ");
}
