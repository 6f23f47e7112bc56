/**
 * Records on their way to the database: in batches, off the request's path, kept while the database is away.
 * One batch is one transaction: request rows, texts, and metrics of the rows that went in, so nothing counts twice.
 * A row that the database refuses is set aside alone. What waits is bounded: texts are shed before numbers, each
 * counted. It waits in memory; the spool file will stand in its place.
 */
import postgres from "postgres";
import type { Database, Sql } from "../database/database";
import { Failure, failure, messageOf } from "../errors";
import type { Log } from "../log";
import { type HistogramRow, type MetricRow, summarize } from "./histograms";
import { ensurePartitions } from "./partitions";
import type { Contents, RequestRecord } from "./record";
import { storable, storableModel } from "./texts";

const ROWS_A_BATCH = 200;
const BYTES_A_BATCH = 1_000_000;
const ROWS_A_STATEMENT = 500;
const DEADLINE_MS = 30_000;
/** A record is worth waiting for a few more: one transaction a request would cost the disk a sync each. */
const GATHER_MS = 50;
/** While the database is there and takes nothing (a full disk, a deadlock), it is asked again after ever longer. */
const LONGEST_PAUSE_MS = 5000;

export interface WriterOptions {
  readonly database: Database;
  readonly server: string;
  readonly log: Log;
  /** Most that may wait while the database is away. */
  readonly mostRecords?: number;
  readonly mostTextBytes?: number;
}

interface Waiting {
  record: RequestRecord;
  readonly bytes: number;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #waiting: Waiting[] = [];
  #textBytes = 0;
  readonly #partitions = new Set<string>();
  #queue: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;
  #pauseMs = GATHER_MS;
  stored = 0;
  setAside = 0;
  shedTexts = 0;
  shedRecords = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    options.database.onChange(() => this.#wake());
  }

  /** Records that are not in the database yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes a record. Never throws, never waits. */
  push(record: RequestRecord): void {
    const { mostRecords = 200_000, mostTextBytes = 256_000_000 } = this.#options;
    if (this.#waiting.length >= mostRecords) {
      this.shedRecords++;
      return;
    }
    const bytes = sizeOf(record.contents);
    if (bytes > 0 && this.#textBytes + bytes > mostTextBytes) {
      this.shedTexts++;
      this.#put({ ...record, contents: null }, 0);
    } else this.#put(record, bytes);
    this.#wake();
  }

  /**
   * Does work behind all that was pushed before it, with nothing of the writer's running beside it.
   * @throws Failure `database_away` where that could not be stored first: then the work is not done
   */
  async behind<T>(work: () => Promise<T>): Promise<T> {
    const last = this.#waiting.at(-1);
    return this.#inTurn(async () => {
      // No longer than to the last: under load there is always a next one.
      while (last && this.#waiting.includes(last) && (await this.#writeSome()));
      // It may be up again by now, and the work would do it half.
      if (last && this.#waiting.includes(last)) {
        throw failure.database(this.#options.database.why ?? "it does not take the records that wait");
      }
      return work();
    });
  }

  /** Writes what waits and takes no more turns. Waits for a database that is away, `withinMs` in all. */
  async stop(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    for (;;) {
      const rest = Math.max(0, until - performance.now());
      await Promise.race([this.#inTurn(() => this.#writeAll()), Bun.sleep(rest)]);
      if (this.#waiting.length === 0 || performance.now() >= until) break;
      await Bun.sleep(GATHER_MS);
    }
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#waiting.length > 0) {
      this.#options.log.error(
        { records: this.#waiting.length, why: this.#options.database.why },
        "records could not be stored before the stop, and are lost",
      );
    }
  }

  #wake(): void {
    if (this.#timer || this.#stopped || this.#waiting.length === 0 || this.#options.database.state !== "up")
      return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#inTurn(() => this.#writeAll()).then(() => this.#wake());
    }, this.#pauseMs);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  #put(record: RequestRecord, bytes: number): void {
    this.#textBytes += bytes;
    this.#waiting.push({ record: { ...record, model: storableModel(record.model) }, bytes });
  }

  /** Writes until nothing waits or the database takes nothing. Never throws. */
  async #writeAll(): Promise<void> {
    while (await this.#writeSome());
  }

  /** Writes a batch. @returns whether there may be more to write now. Never throws. */
  async #writeSome(): Promise<boolean> {
    const batch = this.#nextBatch();
    if (batch.length === 0 || this.#options.database.state !== "up") return false;
    try {
      await this.#write(batch);
      this.#pauseMs = GATHER_MS;
      return true;
    } catch (error) {
      if (!isRowsFault(error)) return this.#pause(error);
    }
    for (const one of batch) if (!(await this.#writeAlone(one))) return false;
    return true;
  }

  async #writeAlone(one: Waiting): Promise<boolean> {
    try {
      await this.#write([one]);
    } catch (error) {
      if (!isRowsFault(error)) return this.#pause(error);
      this.#remove(1);
      this.setAside++;
      this.#options.log.error(
        { id: one.record.id, error: messageOf(error) },
        "the database refused a record: it is set aside",
      );
    }
    return true;
  }

  /** The database does not take it now: nothing is lost, and all of it is tried again. */
  #pause(error: unknown): false {
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    const said = { error: messageOf(error), records: this.#waiting.length };
    this.#options.log.warn(said, "the database does not take records now: tried again");
    return false;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const records = batch.map((one) => one.record);
    const fresh = new Set(this.#partitions);
    // Whatever happens next, a partition that was not there is looked for again.
    this.#partitions.clear();
    await this.#options.database.transaction(async (sql) => {
      await ensurePartitions(
        sql,
        records.map((record) => record.startedAt),
        fresh,
      );
      const inserted = await sql<{ id: string }[]>`
        insert into requests ${sql(records.map((record) => requestRow(record, this.#options.server)))}
        on conflict do nothing returning id`;
      const ids = new Set(inserted.map((row) => row.id));
      // `delete`, so that a record that came twice counts once.
      const stored = records.filter((record) => ids.delete(record.id));
      const contents = stored.flatMap((record) =>
        record.contents ? [contentRow(record, record.contents)] : [],
      );
      if (contents.length > 0) await sql`insert into contents ${sql(contents)} on conflict do nothing`;
      const { metrics, histograms } = summarize(stored, this.#options.server);
      for (const rows of slices(metrics)) await addMetrics(sql, rows);
      for (const rows of slices(histograms)) await addHistograms(sql, rows);
    }, DEADLINE_MS);
    for (const name of fresh) this.#partitions.add(name);
    this.stored += batch.length;
    this.#remove(batch.length);
  }

  #nextBatch(): Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    for (const one of this.#waiting) {
      if (batch.length > 0 && (batch.length >= ROWS_A_BATCH || bytes + one.bytes > BYTES_A_BATCH)) break;
      batch.push(one);
      bytes += one.bytes;
    }
    return batch;
  }

  #remove(count: number): void {
    for (const one of this.#waiting.splice(0, count)) this.#textBytes -= one.bytes;
  }
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

function sizeOf(contents: Contents | null): number {
  if (!contents) return 0;
  return Object.values(contents).reduce((sum: number, text: string | null) => sum + (text?.length ?? 0), 0);
}

/**
 * Whether a row's own values were refused (SQLSTATE classes: data, constraint, limit), or can't be sent at all.
 * Everything else is the database's trouble, and passes: no record is given up for a deadlock or a full disk.
 */
export function isRowsFault(error: unknown): boolean {
  if (error instanceof postgres.PostgresError) return /^(22|23|54)...$/.test(error.code);
  return !(error instanceof Failure);
}
