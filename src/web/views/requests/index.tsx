/** Requests, one by one: the table, and beside it the one that is open. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { filters, goTo, hrefOf, pathRest } from "../../shared/address";
import { call } from "../../shared/api";
import { type Keys, useKeys } from "../../shared/keys";
import { useLoaded } from "../../shared/loaded";
import { ColumnsDialog } from "./columns";
import { ExportDialog } from "./export";
import { Filters } from "./filters";
import { createList, type RequestList } from "./list";
import { type Query, queryOf } from "./query";
import { Request } from "./request";
import { Slow } from "./slow";
import { RequestTable } from "./table";

/** Characters of each text that a row can show. */
const TEXT_LENGTH = 160;

export function Requests() {
  return filters.value.get("show") === "phases" ? <Slow /> : <Browse />;
}

function Browse() {
  const query = queryOf(filters.value);
  const { list, isOld } = useList(query);
  const open = pathRest.value[0] ?? null;
  const [dialog, setDialog] = useState<"columns" | "export" | null>(null);
  const settings = useLoaded((signal) => call("GET /api/settings", { signal }), []);
  const keepsNoTexts = settings.value?.settings.some(
    ({ name, value }) => name === "content" && value === "none",
  );
  useKeys(keys);
  // Made anew for other filters alone: with each row that comes in it would take away what is half typed.
  const filtering = useMemo(() => <Filters query={query} />, [JSON.stringify(query)]);
  const closeDialog = () => setDialog(null);
  return (
    <div class={open ? "requests-view has-open" : "requests-view"}>
      <header class="requests-head">
        <h1>Requests</h1>
        <a class="button" href={hrefOf("requests", { ...Object.fromEntries(filters.value), show: "phases" })}>
          Why is it slow?
        </a>
        <button type="button" class="button" onClick={() => setDialog("columns")}>
          Columns
        </button>
        <button type="button" class="button" onClick={() => setDialog("export")}>
          Export
        </button>
      </header>
      {filtering}
      <RequestTable {...{ list, query, open, isOld }} hasPrompts={!keepsNoTexts} />
      {open && <Opened id={open} list={list} />}
      {dialog === "columns" && <ColumnsDialog close={closeDialog} />}
      {dialog === "export" && <ExportDialog query={query} close={closeDialog} />}
    </div>
  );
}

const keys: Keys = { Escape: ["Close the request", close] };

function close(): void {
  if (pathRest.value.length > 0) goTo(hrefOf("requests", Object.fromEntries(filters.value)));
}

function Opened({ id, list }: { readonly id: string; readonly list: RequestList }) {
  const beside = useRef<HTMLElement>(null);
  useEffect(() => beside.current?.focus(), []);
  const at = list.find(id);
  const neighbour = (place: number) =>
    at >= 0 && place >= 0 ? (list.rows(place, place)[0]?.id ?? null) : null;
  return (
    <aside class="beside" aria-label="The open request" tabIndex={-1} ref={beside}>
      <Request key={id} id={id} close={close} previous={neighbour(at - 1)} next={neighbour(at + 1)} />
    </aside>
  );
}

/** The list of what is asked for. Until its first rows are there those of the question before stay, so that nothing jumps. */
function useList(query: Query): { list: RequestList; isOld: boolean } {
  const asked = JSON.stringify(query);
  const list = useMemo(
    () =>
      createList((cursor, limit, signal) =>
        call("GET /api/stats/logs", {
          query: { ...query, cursor, limit, text_length: TEXT_LENGTH },
          signal,
        }),
      ),
    [asked],
  );
  useEffect(() => list.stop, [list]);
  const shown = useRef(list);
  const { next, error } = list.state.value;
  if (next !== undefined || error) shown.current = list;
  return { list: shown.current, isOld: shown.current !== list };
}
