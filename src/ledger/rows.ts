/** Records and events as rows: request rows, texts, and the metrics of those rows that went in. */
import type { Sql } from "../database/database";
import type { ModelEvent } from "./event";
import { type HistogramRow, type MetricRow, summarize } from "./histograms";
import { ensurePartitions, storableTime } from "./partitions";
import type { Contents, RequestRecord } from "./record";
import { storable, storableModel } from "./texts";

const ROWS_A_STATEMENT = 500;
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
  const inserted = await sql<{ id: string }[]>`
    insert into requests ${sql(named.map((record) => requestRow(record, server)))}
    on conflict do nothing returning id`;
  const ids = new Set(inserted.map((row) => row.id));
  // `delete`, so that a record that came twice counts once.
  const stored = named.filter((record) => ids.delete(record.id));
  const contents = stored.flatMap((record) => (record.contents ? [contentRow(record, record.contents)] : []));
  if (contents.length > 0) await sql`insert into contents ${sql(contents)} on conflict do nothing`;
  const { metrics, histograms } = summarize(stored, server);
  for (const rows of slices(metrics)) await addMetrics(sql, rows);
  for (const rows of slices(histograms)) await addHistograms(sql, rows);
}

/** Stores events, each once: a pull that was killed at its end is resumed, and ends once more under its id. */
export async function storeEvents(sql: Sql, events: readonly ModelEvent[], server: string): Promise<void> {
  if (events.length === 0) return;
  await sql`insert into events ${sql(events.map((event) => eventRow(event, server)))} on conflict do nothing`;
}

function slices<T>(rows: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT)
    parts.push(rows.slice(from, from + ROWS_A_STATEMENT));
  return parts;
}

async function addMetrics(sql: Sql, rows: readonly MetricRow[]): Promise<void> {
  await sql`
    insert into metrics ${sql(rows)}
    on conflict (step, time, model, operation, server) do update set
      requests = metrics.requests + excluded.requests,
      successes = metrics.successes + excluded.successes,
      aborts = metrics.aborts + excluded.aborts,
      errors = metrics.errors + excluded.errors,
      latency_ms = metrics.latency_ms + excluded.latency_ms,
      tokens_in = metrics.tokens_in + excluded.tokens_in,
      tokens_out = metrics.tokens_out + excluded.tokens_out,
      decoded_tokens = metrics.decoded_tokens + excluded.decoded_tokens,
      decode_ms = metrics.decode_ms + excluded.decode_ms,
      truncated = metrics.truncated + excluded.truncated,
      last_used = greatest(metrics.last_used, excluded.last_used)`;
}

async function addHistograms(sql: Sql, rows: readonly HistogramRow[]): Promise<void> {
  await sql`
    insert into histograms ${sql(rows)}
    on conflict (metric, step, time, model, operation, server, bucket) do update set count = histograms.count + excluded.count`;
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
