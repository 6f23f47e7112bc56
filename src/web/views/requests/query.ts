/** What is looked for: the API's own filters, in the address bar under the API's own names. */
import type { LogsQuery } from "../../../api/stats/logs/model";
import type { Entry } from "../../shared/api";
import type { EndedRequest } from "../../shared/live";

type Said = Exclude<keyof EndedRequest, "started_at">;
/** As a row has it: of one that has just ended not all is known. */
export type Row = Pick<Entry, Said | "timestamp" | "tokens_used"> & Partial<Entry>;

const filterNames = [
  "q",
  "model",
  "operation",
  "status",
  "outcome",
  "user",
  "client_ip",
  "dialect",
  "server",
  "min_latency_ms",
  "hours",
  "from",
  "to",
] as const satisfies readonly (keyof LogsQuery)[];
type FilterName = (typeof filterNames)[number];

/** Filters and sorting as the address bar has them: words, which the API checks. */
export type Query = Readonly<Partial<Record<FilterName | "sort" | "order", string>>>;

export function queryOf(filters: URLSearchParams): Query {
  return Object.fromEntries(
    [...filterNames, "sort", "order"].flatMap((name) => {
      const value = filters.get(name);
      return value ? [[name, value]] : [];
    }),
  );
}

/** The filters that are set. */
export function filtersOf(query: Query): FilterName[] {
  return filterNames.filter((name) => query[name] !== undefined);
}

/** All filters taken away, for `setFilters`. */
export const noFilters: Readonly<Record<string, null>> = Object.fromEntries(
  filterNames.map((name) => [name, null]),
);

/** The fields of a request that a filter of the same name is held against. */
const same = ["status", "outcome", "operation", "dialect", "user", "client_ip"] as const;

/**
 * Whether what ends comes in at the top: newest first, and without a filter that the live feed can't be held against
 * (it has no texts, and names no server).
 */
export function isTailing({ sort = "timestamp", order = "desc", q, server, to }: Query): boolean {
  return (
    sort === "timestamp" && order === "desc" && q === undefined && server === undefined && to === undefined
  );
}

/** Whether the filters let a request through that has just ended. */
export function fits(query: Query, ended: EndedRequest): boolean {
  const { model, hours, from, min_latency_ms: least } = query;
  const startedAt = Date.parse(ended.started_at);
  return (
    same.every((name) => query[name] === undefined || query[name] === ended[name]) &&
    (model === undefined || model.replace(/:latest$/, "") === ended.model) &&
    (least === undefined || ended.latency_ms >= Number(least)) &&
    (from === undefined || startedAt >= Date.parse(from)) &&
    (hours === undefined || startedAt >= Date.now() - Number(hours) * 3_600_000)
  );
}

export function rowOf({ started_at, ...said }: EndedRequest): Row {
  const { tokens_in, tokens_out } = said;
  return {
    ...said,
    timestamp: started_at,
    tokens_used: tokens_in === null && tokens_out === null ? null : (tokens_in ?? 0) + (tokens_out ?? 0),
  };
}
