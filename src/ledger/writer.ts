/**
 * Records on their way to the database: in batches, off the request's path, kept while the database is away.
 * One batch is one transaction: request rows, texts, and metrics of the rows that went in, so nothing counts twice.
 * A row that the database refuses is set aside alone. What waits is bounded: texts are shed before numbers, each
 * counted. It waits in memory; the spool file will stand in its place.
 */
import type { Database, Sql } from "../database/database";
import { messageOf } from "../errors";
import type { Log } from "../log";
import { type HistogramRow, type MetricRow, summarize } from "./histograms";
import { ensurePartitions } from "./partitions";
import type { Contents, RequestRecord } from "./record";

const ROWS_A_BATCH = 200;
const BYTES_A_BATCH = 1_000_000;
const ROWS_A_STATEMENT = 500;
const DEADLINE_MS = 30_000;
/** A record is worth waiting for a few more: one transaction a request would cost the disk a sync each. */
const GATHER_MS = 50;

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
      this.#waiting.push({ record: { ...record, contents: null }, bytes: 0 });
    } else {
      this.#textBytes += bytes;
      this.#waiting.push({ record, bytes });
    }
    this.#wake();
  }

  /** Does work behind all that was pushed before it, with nothing of the writer's running beside it. */
  async behind<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await this.#writeAll();
      if (this.#waiting.length > 0) {
        // Told by the work's own first query as well; said here so that nothing is cleared half.
        await this.#options.database.query((sql) => sql`select 1`, DEADLINE_MS);
      }
      return work();
    });
  }

  /** Writes what waits and takes no more turns. Waits for the database at most `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    const last = this.#inTurn(() => this.#writeAll());
    await Promise.race([last, Bun.sleep(withinMs)]);
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
    }, GATHER_MS);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Writes batches until nothing waits or the database is away. Never throws. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0 && this.#options.database.state === "up") {
      const batch = this.#nextBatch();
      try {
        await this.#write(batch);
      } catch (error) {
        this.#partitions.clear();
        if (this.#options.database.state !== "up" || isAway(error)) return;
        if (batch.length === 1) this.#putAside(batch[0], error);
        else for (const one of batch) await this.#writeAlone(one);
        if (this.#options.database.state !== "up") return;
      }
    }
  }

  async #writeAlone(one: Waiting): Promise<void> {
    if (this.#waiting[0] !== one) return;
    try {
      await this.#write([one]);
    } catch (error) {
      this.#partitions.clear();
      if (!isAway(error) && this.#options.database.state === "up") this.#putAside(one, error);
    }
  }

  #putAside(one: Waiting | undefined, error: unknown): void {
    if (!one) return;
    this.#remove(1);
    this.setAside++;
    this.#options.log.error(
      { id: one.record.id, error: messageOf(error) },
      "the database refused a record: it is set aside",
    );
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const records = batch.map((one) => one.record);
    const fresh = new Set(this.#partitions);
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
      const stored = records.filter((record) => ids.has(record.id));
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
    model: storable(record.model),
    stream: record.stream,
    outcome: record.outcome,
    http_status: record.httpStatus,
    client_address: record.clientAddress,
    user_agent: storable(record.userAgent),
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
    engine_version: record.engineVersion,
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

/** PostgreSQL's text holds no U+0000, UTF-8 no lone surrogates, and models emit both: each becomes U+FFFD. */
function storable(text: string | null): string | null {
  return text === null ? null : text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}

function sizeOf(contents: Contents | null): number {
  if (!contents) return 0;
  return Object.values(contents).reduce((sum: number, text: string | null) => sum + (text?.length ?? 0), 0);
}

function isAway(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "database_away";
}
