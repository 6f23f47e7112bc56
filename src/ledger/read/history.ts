/** Figures over time. */
import type { Database, Sql } from "../../database/database";
import { type Percentiles, percentileReader } from "../histograms";
import { noSums, type Step, type Sums, stepMs } from "../metrics";
import { MINUTES_KEPT_MS } from "../retention";
import {
  groupColumn,
  type Span,
  sayFigures,
  sayGroup,
  sumColumns,
  type Whose,
  wanted,
  wantedHistograms,
} from "./figures";

const DEADLINE_MS = 10_000;

export const buckets = {
  "1m": 60_000,
  "5m": 300_000,
  "15m": 900_000,
  "1h": 3_600_000,
  "1d": 86_400_000,
} as const;
export type Bucket = keyof typeof buckets;
export const bucketNames = ["1m", "5m", "15m", "1h", "1d"] as const satisfies readonly Bucket[];

export interface Range {
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
  readonly now: Date;
}

/** Whether minutes are kept of all of it. */
export function isOfMinutes({ from, now }: Range): boolean {
  return now.getTime() - from.getTime() <= MINUTES_KEPT_MS;
}

/** The finest bucket that makes at most 400 points of a range, of those that are kept of all of it. */
export function bucketFor(range: Range): Bucket {
  const kept = isOfMinutes(range) ? (["1m", "5m", "15m", "1h"] as const) : (["15m", "1h"] as const);
  const lengthMs = range.to.getTime() - range.from.getTime();
  return kept.find((bucket) => lengthMs <= 400 * buckets[bucket]) ?? "1d";
}

export interface HistoryQuery extends Range, Whose {
  readonly bucket: Bucket;
  /** Whether buckets without requests are answered too. */
  readonly fill: boolean;
}

export interface Point extends ReturnType<typeof sayPoint> {
  readonly percentiles: Readonly<Record<"latency_ms" | "ttft_ms", Percentiles | null>>;
}

interface Row {
  readonly start: Date;
  readonly group_name: string;
}
interface SumsRow extends Row, Sums {}
interface HistogramsRow extends Row {
  readonly latency_ms: Uint8Array | null;
  readonly ttft_ms: Uint8Array | null;
}

/** Points of a range, oldest first, by group. The first bucket is whole; the last is measured up to now. */
export async function readHistory(database: Database, query: HistoryQuery): Promise<Point[]> {
  const size = buckets[query.bucket];
  const first = Math.floor(query.from.getTime() / size) * size;
  const end = Math.ceil(query.to.getTime() / size) * size;
  const spans = [{ step: stepOf(size), from: new Date(first), to: new Date(end) }];
  const [sums, histograms] = await database.query(
    async (sql) =>
      [await readSums(sql, spans, size, query), await readHistograms(sql, spans, size, query)] as const,
    DEADLINE_MS,
  );
  const nameOf = ({ start, group_name }: Row) => `${start.getTime()}|${group_name}`;
  const measured = new Map(histograms.map((row) => [nameOf(row), row]));
  const percentilesOf = percentileReader();
  const say = (row: SumsRow) => {
    const own = measured.get(nameOf(row));
    return {
      ...sayPoint(row, size, query),
      percentiles: {
        latency_ms: percentilesOf(own?.latency_ms),
        ttft_ms: percentilesOf(own?.ttft_ms),
      },
    };
  };
  if (!query.fill) return sums.map(say);
  const found = new Map(sums.map((row) => [nameOf(row), row]));
  const groups = query.groupBy === undefined ? [""] : new Set(sums.map((row) => row.group_name));
  const points: Point[] = [];
  for (let at = first; at < end; at += size) {
    for (const group_name of groups) {
      const row = { start: new Date(at), group_name };
      points.push(say(found.get(nameOf(row)) ?? { ...row, ...noSums() }));
    }
  }
  return points;
}

/** The coarsest step that buckets of a size are made of. */
function stepOf(size: number): Step {
  return (["day", "hour", "quarter_hour"] as const).find((step) => size >= stepMs[step]) ?? "minute";
}

const start = (sql: Sql, size: number) =>
  sql`date_bin(${`${size} milliseconds`}::interval, time, 'epoch') as start`;

function readSums(sql: Sql, spans: readonly Span[], size: number, query: HistoryQuery) {
  return sql<SumsRow[]>`
    select ${start(sql, size)}, ${groupColumn(sql, query)}, ${sumColumns(sql)}
    from metrics where ${wanted(sql, spans, query)} group by 1, 2 order by 1, 2`;
}

function readHistograms(sql: Sql, spans: readonly Span[], size: number, query: HistoryQuery) {
  return sql<HistogramsRow[]>`
    select ${start(sql, size)}, ${groupColumn(sql, query)},
      string_agg(latency_ms, '') as latency_ms, string_agg(ttft_ms, '') as ttft_ms
    from histograms where ${wantedHistograms(sql, spans, query)} group by 1, 2`;
}

function sayPoint(row: SumsRow, size: number, query: HistoryQuery) {
  // A bucket that is not over yet is divided by the part of it that is, a minute at least.
  const minutes = Math.max(Math.min(size, query.now.getTime() - row.start.getTime()), 60_000) / 60_000;
  return {
    timestamp: row.start.toISOString(),
    ...sayGroup(query, row.group_name),
    requests_per_minute: row.requests / minutes,
    ...sayFigures(row),
  };
}
