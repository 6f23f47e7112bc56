/** What the rows of metrics and histograms that a question takes in say when they are added up. */
import type { Sql } from "../../database/database";
import { type Step, type Sums, sums } from "../metrics";
import { type Operation, outcomes } from "../record";
import { storable } from "../texts";

/** Whose figures are asked for; what is absent is not narrowed. */
export interface Whose {
  /** Canonical name. */
  readonly model?: string | undefined;
  /** Percentiles are always of one operation: of chat where none is named. */
  readonly operation?: Operation | undefined;
  /** A UUID. */
  readonly server?: string | undefined;
  /** Figures apart for each. */
  readonly groupBy?: GroupBy | undefined;
}

export const groupings = ["model", "operation", "server"] as const;
type GroupBy = (typeof groupings)[number];

/** What percentiles are of where nobody says: a chat, an embedding and a completion have nothing in common. */
export const usualOperation: Operation = "chat";

/** Rows of one step that begin in a range of time. */
export interface Span {
  readonly step: Step;
  /** Inclusive. */
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
}

/** The columns of `Sums`, for a select. */
export function sumColumns(sql: Sql) {
  return sums.map((name, at) => sql`${at === 0 ? sql`` : sql`,`} sum(${sql(name)})::float8 as ${sql(name)}`);
}

/** The condition for the rows of spans, of metrics. */
export function wanted(sql: Sql, spans: readonly Span[], { model, operation, server }: Whose) {
  return sql`
    (${spans.map(
      ({ step, from, to }, at) => sql`${at === 0 ? sql`` : sql`or`}
        (step = ${step} and time >= ${from.toISOString()} and time < ${to.toISOString()})`,
    )})
    ${model === undefined ? sql`` : sql`and model = ${storable(model)}`}
    ${operation === undefined ? sql`` : sql`and operation = ${operation}`}
    ${server === undefined ? sql`` : sql`and server = ${server}`}`;
}

/** The same of histograms: of one operation, unless they are kept apart. */
export function wantedHistograms(sql: Sql, spans: readonly Span[], whose: Whose) {
  const apart = whose.groupBy === "operation";
  return wanted(sql, spans, apart ? whose : { ...whose, operation: whose.operation ?? usualOperation });
}

/** Speed and latency of summed rows; null where nothing tells. */
export function means(row: Pick<Sums, "successes" | "latency_ms" | "decoded_tokens" | "decode_ms">) {
  return {
    tokens_per_second: row.decode_ms > 0 ? (row.decoded_tokens * 1000) / row.decode_ms : null,
    avg_latency_ms: row.successes > 0 ? row.latency_ms / row.successes : null,
  };
}

/** What summed rows say, in the contract's words. */
export function sayFigures(row: Sums) {
  const { requests, successes, aborts, errors, tokens_in, tokens_out, truncated } = row;
  return {
    requests,
    ...{ successes, aborts, errors, truncated },
    error_rate: requests > 0 ? errors / requests : null,
    outcomes: Object.fromEntries(
      outcomes.filter((outcome) => row[outcome] > 0).map((outcome) => [outcome, row[outcome]]),
    ),
    tokens_in,
    tokens_out,
    ...means(row),
  };
}

/** The column that groups are named by, for a select; empty where there are none. */
export function groupColumn(sql: Sql, { groupBy }: Whose) {
  return groupBy === undefined ? sql`'' as group_name` : sql`${sql(groupBy)} as group_name`;
}

export interface Group {
  readonly model?: string | null;
  readonly operation?: string;
  readonly server?: string;
}

/** Whose a figure is, where figures are apart. The model is null for those that the engine does not know. */
export function sayGroup({ groupBy }: Whose, name: string): Group {
  if (groupBy === "model") return { model: name === "" ? null : name };
  if (groupBy === "operation") return { operation: name };
  return groupBy === "server" ? { server: name } : {};
}
