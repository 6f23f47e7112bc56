/** What is asked of requests, as conditions of a query. */
import type { Sql } from "../../database/database";
import { type Operation, type Outcome, outcomesOf, type Status } from "../record";
import { storable } from "../texts";

export const sortFields = ["timestamp", "latency_ms", "tokens_used", "ttft_ms"] as const;
type SortField = (typeof sortFields)[number];

export interface Sorting {
  readonly sort: SortField;
  readonly order: "asc" | "desc";
}

export interface LogFilter {
  /** Canonical name. */
  readonly model?: string | undefined;
  readonly status?: Status | undefined;
  readonly outcome?: Outcome | undefined;
  readonly dialect?: string | undefined;
  readonly operation?: Operation | undefined;
  /** The client's address. */
  readonly client?: string | undefined;
  readonly user?: string | undefined;
  /** Its id, a UUID. */
  readonly server?: string | undefined;
  /** Only requests that began then or later. */
  readonly from?: Date | undefined;
  /** Only requests that began before. */
  readonly to?: Date | undefined;
  readonly minLatencyMs?: number | undefined;
}

/** Those of a filter's conditions that an index answers. */
export type Lead =
  | "client"
  | "user"
  | "failed"
  | "outcome"
  | "model"
  | "latency"
  | "dialect"
  | "operation"
  | "server";
/** Of these: those whose index is in the order of time. */
export const leadsInTime: readonly Lead[] = ["client", "user", "failed", "outcome", "model"];

export interface Condition {
  /** null: only by looking at each row. */
  readonly lead: Lead | null;
  readonly test: Fragment;
}

export type Fragment = ReturnType<typeof nothing>;
const nothing = (sql: Sql) => sql`true`;

/** Word for word what the indexes of sql/008 and 009 hold: a parameter could not be compared with them. */
const failed = {
  aborted: (sql: Sql) => sql`r.outcome in ('client_abort', 'canceled')`,
  error: (sql: Sql) => sql`r.outcome not in ('complete', 'length', 'client_abort', 'canceled')`,
};

/** The conditions of a filter on `requests r`, all but those on time. */
export function conditionsOf(sql: Sql, filter: LogFilter): Condition[] {
  const { model, status, outcome, dialect, operation, client, user, server, minLatencyMs } = filter;
  const all: Condition[] = [];
  const add = (test: Fragment, lead: Lead | null = null) => all.push({ lead, test });
  if (client !== undefined) add(sql`r.client_address = ${storable(client)}`, "client");
  if (user !== undefined) add(sql`r.client_user = ${storable(user)}`, "user");
  if (status === "success") add(sql`r.outcome in ${sql(outcomesOf(status))}`);
  else if (status !== undefined) add(failed[status](sql), "failed");
  if (outcome === "complete") add(sql`r.outcome = ${outcome}`);
  else if (outcome !== undefined) add(sql`r.outcome <> 'complete' and r.outcome = ${outcome}`, "outcome");
  if (model !== undefined) add(sql`r.model = ${storable(model)}`, "model");
  if (minLatencyMs !== undefined) add(sql`r.latency_ms >= ${minLatencyMs}::float8`, "latency");
  if (dialect !== undefined) add(sql`r.dialect = ${storable(dialect)}`, "dialect");
  if (operation !== undefined) add(sql`r.operation = ${operation}`, "operation");
  if (server !== undefined) add(sql`r.server = ${server}::uuid`, "server");
  return all;
}

/** The condition on time. */
export function timeOf(sql: Sql, { from, to }: LogFilter): Fragment {
  const since = from === undefined ? sql`true` : sql`r.started_at >= ${from.toISOString()}::timestamptz`;
  return to === undefined ? since : sql`${since} and r.started_at < ${to.toISOString()}::timestamptz`;
}

/** All of some conditions. */
export function every(sql: Sql, conditions: readonly Condition[]): Fragment {
  return conditions.reduce((all, { test }) => sql`${all} and ${test}`, nothing(sql));
}
