/** Figures, all from the metrics rows. */
import type { Database, Sql } from "../../database/database";
import { countMetricRows } from "../clear";
import { type Step, stepMs } from "../histograms";
import { storable } from "../texts";

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

export async function readTotals(database: Database): Promise<Totals> {
  const models = await readModels(database, { unknownToo: true });
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
 */
export async function readModels(
  database: Database,
  { unknownToo = false, hours }: { unknownToo?: boolean; hours?: number | undefined } = {},
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
        ${unknownToo ? sql`` : sql`and model <> ''`}
      group by model order by 2 desc, 1`,
    DEADLINE_MS,
  );
}

export const buckets = {
  "1m": 60_000,
  "5m": 300_000,
  "15m": 900_000,
  "1h": 3_600_000,
  "1d": 86_400_000,
} as const;
export type Bucket = keyof typeof buckets;

/** The finest bucket that makes at most 400 points of a range. */
export function bucketFor(hours: number): Bucket {
  for (const bucket of ["1m", "5m", "15m", "1h"] as const)
    if ((hours * 3_600_000) / buckets[bucket] <= 400) return bucket;
  return "1d";
}

export interface Point {
  timestamp: string;
  requests_per_minute: number;
  tokens_per_second: number | null;
  avg_latency_ms: number | null;
  error_rate: number | null;
}

export interface HistoryQuery {
  readonly hours: number;
  readonly bucket: Bucket;
  readonly model?: string;
  /** Whether buckets without requests are answered too. */
  readonly fill: boolean;
  readonly now: Date;
}

interface BucketRow {
  bucket: number;
  requests: number;
  successes: number;
  errors: number;
  latency_ms: number;
  decoded_tokens: number;
  decode_ms: number;
}

/** Points of a range that ends now, oldest first. The first bucket is whole; the last is measured up to now. */
export async function readHistory(database: Database, query: HistoryQuery): Promise<Point[]> {
  const size = buckets[query.bucket];
  const step: Step = size >= stepMs.day ? "day" : size >= stepMs.hour ? "hour" : "minute";
  const now = query.now.getTime();
  const first = Math.floor((now - query.hours * 3_600_000) / size);
  const rows = await database.query(
    (sql) => readBuckets(sql, step, size, new Date(first * size), query.model),
    DEADLINE_MS,
  );
  if (!query.fill) return rows.map((row) => toPoint(row, size, now));
  const found = new Map(rows.map((row) => [row.bucket, row]));
  const points: Point[] = [];
  for (let bucket = first; bucket * size <= now; bucket++) {
    const row = found.get(bucket) ?? emptyBucket(bucket);
    points.push(toPoint(row, size, now));
  }
  return points;
}

function readBuckets(sql: Sql, step: Step, size: number, from: Date, model: string | undefined) {
  return sql<BucketRow[]>`
    select floor(extract(epoch from time) * 1000 / ${size}::float8)::float8 as bucket,
      sum(requests)::float8 as requests, sum(successes)::float8 as successes, sum(errors)::float8 as errors,
      sum(latency_ms) as latency_ms, sum(decoded_tokens)::float8 as decoded_tokens, sum(decode_ms) as decode_ms
    from metrics
    where step = ${step} and time >= ${from.toISOString()} ${model === undefined ? sql`` : sql`and model = ${storable(model)}`}
    group by 1 order by 1`;
}

function toPoint(row: BucketRow, size: number, now: number): Point {
  const startsAt = row.bucket * size;
  // A bucket that is not over yet is divided by the part of it that is, a minute at least.
  const minutes = Math.max(Math.min(size, now - startsAt), 60_000) / 60_000;
  return {
    timestamp: new Date(startsAt).toISOString(),
    requests_per_minute: row.requests / minutes,
    ...figures(row),
    error_rate: row.requests > 0 ? row.errors / row.requests : null,
  };
}

/** Speed and latency of summed rows; null where nothing tells. */
export function figures(row: {
  successes: number;
  latency_ms: number;
  decoded_tokens: number;
  decode_ms: number;
}) {
  return {
    tokens_per_second: row.decode_ms > 0 ? (row.decoded_tokens * 1000) / row.decode_ms : null,
    avg_latency_ms: row.successes > 0 ? row.latency_ms / row.successes : null,
  };
}

function emptyBucket(bucket: number): BucketRow {
  return { bucket, requests: 0, successes: 0, errors: 0, latency_ms: 0, decoded_tokens: 0, decode_ms: 0 };
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
        (select min(time) from metrics where step = 'hour') as hour,
        (select min(time) from metrics where step = 'day') as day,
        greatest((select max(started_at) from requests), (select max(last_used) from metrics)) as newest,
        pg_database_size(current_database())::float8 as bytes`;
    if (!row) throw new Error("PostgreSQL answered a select with no row");
    return { ...row, oldest: oldestOf(row), points: await countMetricRows(sql) };
  }, DEADLINE_MS);
}

/** The oldest moment that rows tell of: the day, told more exactly by what is kept of its hours, minutes and requests. */
function oldestOf(row: Record<Step | "request", Date | null>): Date | null {
  let oldest = row.day;
  let exactMs: number = stepMs.day;
  for (const [found, ms] of [
    [row.hour, stepMs.hour],
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
