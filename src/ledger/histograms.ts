/**
 * Metrics of a batch of records: what is added to the sums and histogram rows. Questions are answered from these rows,
 * never by scanning requests, so their number depends on time and models and not on traffic.
 */
import { type RequestRecord, statusOf, tokensPerSecond } from "./record";

export const steps = ["minute", "hour", "day"] as const;
export type Step = (typeof steps)[number];
export const stepMs: Readonly<Record<Step, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

export interface MetricRow {
  step: Step;
  time: string;
  model: string;
  operation: string;
  server: string;
  requests: number;
  successes: number;
  aborts: number;
  errors: number;
  latency_ms: number;
  tokens_in: number;
  tokens_out: number;
  decoded_tokens: number;
  decode_ms: number;
  truncated: number;
  last_used: string;
}

export interface HistogramRow {
  metric: "latency_ms" | "ttft_ms" | "tokens_per_second";
  step: Step;
  time: string;
  model: string;
  operation: string;
  server: string;
  bucket: number;
  count: number;
}

const GAMMA = Math.log(1.02);

/** The bucket of a value above 0: ceil(ln x / ln 1.02). Smaller values count as 0.001. */
function bucketOf(value: number): number {
  return Math.ceil(Math.log(Math.max(value, 0.001)) / GAMMA);
}

/** Sums records into rows, one a key and step. Only successes count towards latency, first token and speed. */
export function summarize(
  records: readonly RequestRecord[],
  server: string,
): { metrics: MetricRow[]; histograms: HistogramRow[] } {
  const metrics = new Map<string, MetricRow>();
  const histograms = new Map<string, HistogramRow>();
  for (const record of records) {
    const model = record.modelKnown ? (record.model ?? "") : "";
    const at = record.startedAt.getTime();
    const status = statusOf(record.outcome);
    const success = status === "success";
    const speed = tokensPerSecond(record.tokensOut, record.decodeMs);
    for (const step of steps) {
      const time = new Date(Math.floor(at / stepMs[step]) * stepMs[step]).toISOString();
      const key = `${step}|${time}|${record.operation}|${model}`;
      const row = metrics.get(key) ?? emptyRow(step, time, model, record.operation, server, record.startedAt);
      metrics.set(key, row);
      row.requests++;
      if (success) row.successes++;
      else if (status === "aborted") row.aborts++;
      else row.errors++;
      if (success) row.latency_ms += record.latencyMs;
      row.tokens_in += record.tokensIn ?? 0;
      row.tokens_out += record.tokensOut ?? 0;
      if (speed !== null) {
        row.decoded_tokens += record.tokensOut ?? 0;
        row.decode_ms += record.decodeMs ?? 0;
      }
      if (record.truncated !== null) row.truncated++;
      const used = record.startedAt.toISOString();
      if (used > row.last_used) row.last_used = used;
      if (!success) continue;
      const values = [
        ["latency_ms", record.latencyMs],
        ["ttft_ms", record.ttftMs],
        ["tokens_per_second", speed],
      ] as const;
      for (const [metric, value] of values) {
        if (value === null) continue;
        const bucket = bucketOf(value);
        const place = `${metric}|${bucket}|${key}`;
        const counted = histograms.get(place);
        if (counted) counted.count++;
        else {
          histograms.set(place, {
            metric,
            step,
            time,
            model,
            operation: record.operation,
            server,
            bucket,
            count: 1,
          });
        }
      }
    }
  }
  return { metrics: [...metrics.values()], histograms: [...histograms.values()] };
}

function emptyRow(
  step: Step,
  time: string,
  model: string,
  operation: string,
  server: string,
  used: Date,
): MetricRow {
  return {
    step,
    time,
    model,
    operation,
    server,
    requests: 0,
    successes: 0,
    aborts: 0,
    errors: 0,
    latency_ms: 0,
    tokens_in: 0,
    tokens_out: 0,
    decoded_tokens: 0,
    decode_ms: 0,
    truncated: 0,
    last_used: used.toISOString(),
  };
}
