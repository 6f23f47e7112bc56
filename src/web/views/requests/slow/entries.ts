/** Requests beside others and beside what is usual. */
import type { Entry, Summary } from "../../../shared/api";

/** Figures of a model and an operation over the seven days before. */
export type Usual = Summary["total"];

/** Chat, embeddings and completions never share a percentile. */
export function usualKey({ model, operation }: Pick<Entry, "model" | "operation">): string {
  return `${operation} ${model}`;
}

/** ms since 1970 */
export function startOf(entry: Entry): number {
  return Date.parse(entry.timestamp);
}

/** ms since 1970 */
export function endOf(entry: Entry): number {
  return startOf(entry) + entry.latency_ms;
}

/**
 * The requests that its model, which was in memory, was answering when a request came. Then what Ollama counts as
 * loading was waiting for a turn: without them it has loaded the model once more.
 */
export function answeredBefore(request: Entry, others: readonly Entry[]): readonly Entry[] {
  const at = startOf(request);
  return others.filter(
    (one) => request.cold === false && one.model === request.model && startOf(one) < at && endOf(one) > at,
  );
}
