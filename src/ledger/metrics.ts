/**
 * Metrics of a batch of records: what is added to the rows of sums and of histograms. Questions are answered from these
 * rows, never by scanning requests, so their number depends on time and models and not on traffic.
 */
import { addValue, type Counts, type Measure, measures, ofEach } from "./histograms";
import { type Operation, outcomes, queuedMs, type RequestRecord, statusOf, tokensPerSecond } from "./record";

/** From the finest to the coarsest; each is a whole number of the one before. */
export const steps = ["minute", "quarter_hour", "hour", "day"] as const;
export type Step = (typeof steps)[number];
export const stepMs: Readonly<Record<Step, number>> = {
  minute: 60_000,
  quarter_hour: 900_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** What a row of metrics or histograms is of. */
interface Key {
  readonly step: Step;
  /** When the step begins, RFC 3339. */
  readonly time: string;
  /** Empty for models that the engine does not know. */
  readonly model: string;
  readonly operation: Operation;
  readonly server: string;
}

/** What is added up: requests by how they ended, and of all of them but for `latency_ms`, which is of successes. */
export const sums = [
  ...(["requests", "successes", "aborts", "errors", ...outcomes] as const),
  ...(["latency_ms", "tokens_in", "tokens_out", "decoded_tokens", "decode_ms", "truncated"] as const),
];
export type Sums = Record<(typeof sums)[number], number>;

export interface MetricRow extends Key, Sums {
  last_used: string;
}

/** What fell into the buckets of each measure. */
export interface HistogramRow extends Key {
  readonly counts: Readonly<Record<Measure, Counts>>;
}

/** Sums records into rows, one a key. Only successes count towards the histograms and the sum of latencies. */
export function summarize(
  records: readonly RequestRecord[],
  server: string,
): { metrics: MetricRow[]; histograms: HistogramRow[] } {
  const rows = new Map<string, { metric: MetricRow; histogram: HistogramRow }>();
  for (const record of records) {
    const model = record.modelKnown ? (record.model ?? "") : "";
    const { operation } = record;
    for (const step of steps) {
      const at = record.startedAt.getTime();
      const time = new Date(Math.floor(at / stepMs[step]) * stepMs[step]).toISOString();
      const name = `${step}|${time}|${operation}|${model}`;
      let row = rows.get(name);
      if (!row) {
        const key = { step, time, model, operation, server };
        const last_used = record.startedAt.toISOString();
        row = {
          metric: { ...key, ...noSums(), last_used },
          histogram: { ...key, counts: ofEach(() => new Map()) },
        };
        rows.set(name, row);
      }
      addSums(row.metric, record);
      if (statusOf(record.outcome) === "success") addValues(row.histogram, record);
    }
  }
  const all = [...rows.values()];
  return {
    metrics: all.map((row) => row.metric),
    histograms: all
      .map((row) => row.histogram)
      .filter(({ counts }) => measures.some((measure) => counts[measure].size > 0)),
  };
}

function addSums(row: MetricRow, record: RequestRecord): void {
  const status = statusOf(record.outcome);
  row.requests++;
  row[record.outcome]++;
  if (status === "success") {
    row.successes++;
    row.latency_ms += record.latencyMs;
  } else if (status === "aborted") row.aborts++;
  else row.errors++;
  row.tokens_in += record.tokensIn ?? 0;
  row.tokens_out += record.tokensOut ?? 0;
  if (tokensPerSecond(record.tokensOut, record.decodeMs) !== null) {
    row.decoded_tokens += record.tokensOut ?? 0;
    row.decode_ms += record.decodeMs ?? 0;
  }
  if (record.truncated !== null) row.truncated++;
  const used = record.startedAt.toISOString();
  if (used > row.last_used) row.last_used = used;
}

function addValues({ counts }: HistogramRow, record: RequestRecord): void {
  const values: Readonly<Record<Measure, number | null>> = {
    latency_ms: record.latencyMs,
    ttft_ms: record.ttftMs,
    tokens_per_second: tokensPerSecond(record.tokensOut, record.decodeMs),
    queued_ms: queuedMs(record),
    // What a loaded model tells is how long it was looked for.
    load_ms: record.cold === true ? record.loadMs : null,
  };
  for (const measure of measures) {
    const value = values[measure];
    if (value !== null) addValue(counts[measure], value);
  }
}

/** What no requests add up to. */
export function noSums(): Sums {
  return {
    ...{ requests: 0, successes: 0, aborts: 0, errors: 0 },
    ...{ complete: 0, length: 0, client_abort: 0, canceled: 0, engine_error: 0, engine_crash: 0 },
    ...{ timeout: 0, rejected: 0, server_stop: 0, server_crash: 0 },
    ...{ latency_ms: 0, tokens_in: 0, tokens_out: 0, decoded_tokens: 0, decode_ms: 0, truncated: 0 },
  };
}
