/** Records and events as rows: request rows, texts, and the metrics of those rows that went in. */
import type { Sql } from "../database/database";
import type { ModelEvent } from "./event";
import { addHistogram, histogramOf, type Measure, measures, ofEach } from "./histograms";
import { type HistogramRow, type MetricRow, summarize, sums } from "./metrics";
import { ensurePartitions, storableTime } from "./partitions";
import { type Contents, queuedMs, type RequestRecord } from "./record";
import { storable, storableModel } from "./texts";

/** Putting a statement together stops everything else: this many values take some 3 ms. */
const VALUES_A_STATEMENT = 1600;
/** Beyond this an error's words tell nobody more. */
const LONGEST_ERROR = 2000;

/**
 * Stores records, each once: one that is there already is neither changed nor counted again.
 * @param server whose they are
 * @param partitions those that are known to be there; the ones that it makes are added
 */
export async function storeRecords(
  sql: Sql,
  records: readonly RequestRecord[],
  server: string,
  partitions: Set<string>,
): Promise<void> {
  if (records.length === 0) return;
  const named = records.map((record) => ({
    ...record,
    model: storableModel(record.model),
    startedAt: storableTime(record.startedAt),
  }));
  await ensurePartitions(
    sql,
    named.map((record) => record.startedAt),
    partitions,
  );
  const ids = new Set<string>();
  for (const rows of slices(named.map((record) => requestRow(record, server)))) {
    const inserted = await sql<{ id: string }[]>`
      insert into requests ${sql(rows)} on conflict do nothing returning id`;
    for (const { id } of inserted) ids.add(id);
  }
  // `delete`, so that a record that came twice counts once.
  const stored = named.filter((record) => ids.delete(record.id));
  const contents = stored.flatMap((record) => (record.contents ? [contentRow(record, record.contents)] : []));
  for (const rows of slices(contents)) await sql`insert into contents ${sql(rows)} on conflict do nothing`;
  const { metrics, histograms } = summarize(stored, server);
  for (const rows of slices(metrics)) await addMetrics(sql, rows);
  for (const rows of slices(histograms)) await addHistograms(sql, rows, server);
}

/** Stores events, each once: a pull that was killed at its end is resumed, and ends once more under its id. */
export async function storeEvents(sql: Sql, events: readonly ModelEvent[], server: string): Promise<void> {
  if (events.length === 0) return;
  await sql`insert into events ${sql(events.map((event) => eventRow(event, server)))} on conflict do nothing`;
}

/** Of one table, each for a statement. */
function slices<T extends object>(rows: readonly T[]): T[][] {
  const size = Math.ceil(VALUES_A_STATEMENT / Object.keys(rows[0] ?? {}).length);
  const parts: T[][] = [];
  for (let from = 0; from < rows.length; from += size) parts.push(rows.slice(from, from + size));
  return parts;
}

async function addMetrics(sql: Sql, rows: readonly MetricRow[]): Promise<void> {
  const added = sums.map((name) => sql`${sql(name)} = metrics.${sql(name)} + excluded.${sql(name)},`);
  await sql`
    insert into metrics ${sql(rows)}
    on conflict (step, time, model, operation, server) do update set
      ${added} last_used = greatest(metrics.last_used, excluded.last_used)`;
}

interface KeptHistograms extends Record<Measure, Uint8Array | null> {
  /** Of its key, from 1. */
  readonly place: number;
}

/**
 * Adds to what is kept, which is read first: nobody writes it meanwhile, since the metrics row of the same key, which
 * this transaction has just written, is its lock. Key by key (the limit sees to that): a join is planned when the table
 * is new and small, as one that reads it all, and that plan would stay while it grows.
 */
async function addHistograms(sql: Sql, rows: readonly HistogramRow[], server: string): Promise<void> {
  const all = await sql<KeptHistograms[]>`
    select place::int, kept.* from unnest(
      ${rows.map((row) => row.step)}::text[], ${rows.map((row) => row.time)}::timestamptz[],
      ${rows.map((row) => row.model)}::text[], ${rows.map((row) => row.operation)}::text[]
    ) with ordinality as keys (step, time, model, operation, place)
    cross join lateral (
      select ${sql(measures)} from histograms
      where (step, time, model, operation, server)
        = (keys.step, keys.time, keys.model, keys.operation, ${server}::uuid)
      limit 1
    ) as kept`;
  for (const kept of all) {
    const counts = rows[kept.place - 1]?.counts;
    for (const measure of measures) if (counts && kept[measure]) addHistogram(counts[measure], kept[measure]);
  }
  const added = measures.map(
    (measure, at) => sql`${at === 0 ? sql`` : sql`,`} ${sql(measure)} = excluded.${sql(measure)}`,
  );
  await sql`
    insert into histograms ${sql(rows.map(histogramRow))}
    on conflict (step, time, model, operation, server) do update set ${added}`;
}

function histogramRow({ counts, ...key }: HistogramRow) {
  return {
    ...key,
    ...ofEach((measure) => histogramOf(counts[measure])),
  };
}

function requestRow(record: RequestRecord, server: string) {
  return {
    id: record.id,
    started_at: record.startedAt.toISOString(),
    server,
    dialect: record.dialect,
    operation: record.operation,
    model: record.model,
    stream: record.stream,
    outcome: record.outcome,
    http_status: record.httpStatus,
    client_address: record.clientAddress,
    user_agent: storable(record.userAgent),
    client_user: storable(record.user),
    traceparent: storable(record.traceparent),
    upstream_status: record.upstreamStatus,
    client_wait_ms: record.clientWaitMs,
    model_digest: storable(record.modelDigest),
    cold: record.cold,
    context_length: record.contextLength,
    truncated: record.truncated,
    queued_ms: queuedMs(record),
    latency_ms: record.latencyMs,
    ttft_ms: record.ttftMs,
    longest_gap_ms: record.longestGapMs,
    tokens_in: record.tokensIn,
    tokens_out: record.tokensOut,
    tokens_cached: record.tokensCached,
    load_ms: record.loadMs,
    prefill_ms: record.prefillMs,
    decode_ms: record.decodeMs,
    finish_reason: storable(record.finishReason),
    error: storable(record.error),
    engine_version: storable(record.engineVersion),
    engine_run: record.engineRun,
    in_flight: record.inFlight,
  };
}

function contentRow(record: RequestRecord, contents: Contents) {
  return {
    request_id: record.id,
    started_at: record.startedAt.toISOString(),
    prompt: storable(contents.prompt),
    system: storable(contents.system),
    messages: storable(contents.messages),
    options: storable(contents.options),
    response: storable(contents.response),
    thinking: storable(contents.thinking),
    tool_calls: storable(contents.toolCalls),
  };
}

function eventRow(event: ModelEvent, server: string) {
  return {
    id: event.id,
    at: event.at.toISOString(),
    server,
    action: event.action,
    model: storableModel(event.model),
    source: storableModel(event.source),
    insecure: event.insecure,
    path: event.path,
    client_address: event.clientAddress,
    user_agent: storable(event.userAgent),
    client_user: storable(event.user),
    outcome: event.outcome,
    error: storable(event.error?.slice(0, LONGEST_ERROR) ?? null),
    bytes: event.bytes,
    duration_ms: event.durationMs,
  };
}
