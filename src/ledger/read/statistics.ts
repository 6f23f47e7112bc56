/** Totals of all that is kept, and of each model, from the rows of metrics. */
import type { Database } from "../../database/database";
import { countMetricRows } from "../clear";
import { type Step, stepMs } from "../metrics";

const DEADLINE_MS = 10_000;

export interface Totals {
  requests: number;
  tokens: number;
  errors: number;
  truncated: number;
  /** Mean over successes; null where there was none. */
  averageLatencyMs: number | null;
  /** Most used first. */
  models: string[];
}

/** @param server only what this one recorded, a UUID */
export async function readTotals(database: Database, server?: string): Promise<Totals> {
  const models = await readModels(database, { unknownToo: true, server });
  const successes = sum(models, "successes");
  return {
    requests: sum(models, "requests"),
    tokens: sum(models, "tokens"),
    errors: sum(models, "errors"),
    truncated: sum(models, "truncated"),
    averageLatencyMs: successes > 0 ? sum(models, "latency_ms") / successes : null,
    models: models.flatMap((model) => (model.model === "" ? [] : [model.model])),
  };
}

export interface ModelFigures {
  /** Canonical name. */
  model: string;
  requests: number;
  successes: number;
  errors: number;
  tokens: number;
  /** Sum over successes. */
  latency_ms: number;
  decoded_tokens: number;
  decode_ms: number;
  truncated: number;
  last_used: Date;
}

/**
 * A row for each model with metrics kept, most used first.
 * @param hours only of the last hours, the first one whole
 * @param server only what this one recorded, a UUID
 */
export async function readModels(
  database: Database,
  {
    unknownToo = false,
    hours,
    server,
  }: { unknownToo?: boolean; hours?: number | undefined; server?: string | undefined } = {},
): Promise<ModelFigures[]> {
  const from = new Date(hours === undefined ? 0 : Date.now() - hours * stepMs.hour);
  from.setUTCMinutes(0, 0, 0);
  return database.query(
    (sql) => sql<ModelFigures[]>`
      select model, sum(requests)::float8 as requests, sum(successes)::float8 as successes, sum(errors)::float8 as errors,
        sum(tokens_in + tokens_out)::float8 as tokens, sum(latency_ms) as latency_ms,
        sum(decoded_tokens)::float8 as decoded_tokens, sum(decode_ms) as decode_ms,
        sum(truncated)::float8 as truncated, max(last_used) as last_used
      from metrics where step = ${hours === undefined ? "day" : "hour"} and time >= ${from.toISOString()}
        ${unknownToo ? sql`` : sql`and model <> ''`} ${server === undefined ? sql`` : sql`and server = ${server}`}
      group by model order by 2 desc, 1`,
    DEADLINE_MS,
  );
}

export interface Summary {
  requests: number;
  logs: number;
  points: number;
  oldest: Date | null;
  newest: Date | null;
  bytes: number;
}

/** What is kept, and how big it is. */
export async function readSummary(database: Database): Promise<Summary> {
  return database.query(async (sql) => {
    const [row] = await sql<(Omit<Summary, "points" | "oldest"> & Record<Step | "request", Date | null>)[]>`
      select
        (select coalesce(sum(requests), 0)::float8 from metrics where step = 'day') as requests,
        (select count(*)::float8 from requests) as logs,
        (select min(started_at) from requests) as request,
        (select min(time) from metrics where step = 'minute') as minute,
        (select min(time) from metrics where step = 'quarter_hour') as quarter_hour,
        (select min(time) from metrics where step = 'hour') as hour,
        (select min(time) from metrics where step = 'day') as day,
        greatest((select max(started_at) from requests), (select max(last_used) from metrics)) as newest,
        pg_database_size(current_database())::float8 as bytes`;
    if (!row) throw new Error("PostgreSQL answered a select with no row");
    return { ...row, oldest: oldestOf(row), points: await countMetricRows(sql) };
  }, DEADLINE_MS);
}

/** The oldest moment that rows tell of: the day, told more exactly by what is kept of its hours, quarters, minutes and requests. */
function oldestOf(row: Record<Step | "request", Date | null>): Date | null {
  let oldest = row.day;
  let exactMs: number = stepMs.day;
  for (const [found, ms] of [
    [row.hour, stepMs.hour],
    [row.quarter_hour, stepMs.quarter_hour],
    [row.minute, stepMs.minute],
    [row.request, 0],
  ] as const) {
    if (!found || (oldest && found.getTime() >= oldest.getTime() + exactMs)) continue;
    oldest = found;
    exactMs = ms;
  }
  return oldest;
}

function sum(
  rows: readonly ModelFigures[],
  field: "requests" | "successes" | "errors" | "tokens" | "latency_ms" | "truncated",
): number {
  return rows.reduce((total, row) => total + row[field], 0);
}
