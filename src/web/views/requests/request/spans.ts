/** Where a request's time went: the parts of it that were told or seen. */
import type { Entry } from "../../../shared/api";

/** In the order in which they come. */
export const spanNames = [
  "waiting",
  "rest",
  "first",
  "load",
  "prefill",
  "decode",
  "after",
  "tail",
  "drain",
] as const;
export type SpanName = (typeof spanNames)[number];

/**
 * `first` and `after` are what can be seen where the engine does not tell its times; `rest` and `tail` are before and
 * after those that it does tell.
 */
export const spanWords: Readonly<Record<SpanName, string>> = {
  waiting: "Waiting for Ollama",
  rest: "Waiting and the rest",
  first: "To the first piece",
  load: "Loading the model",
  prefill: "Reading the prompt",
  decode: "Writing",
  after: "From there to the end",
  tail: "In none of these",
  drain: "Waiting for the client",
};

export interface Span {
  readonly name: SpanName;
  /** Where it is in the request's time, ms since it came. */
  readonly from: number;
  readonly to: number;
  /** How long it was, as told: of what overlaps it may be more than is seen of it. */
  readonly ms: number;
  /** The engine's own count, or measured by Corral. */
  readonly source: "engine" | "measured";
}

/** The way between Ollama and the client takes less. */
const LEAST_TAIL_MS = 50;

/** What is known of a request's time. What nobody told has no span, and is not 0. */
export function spansOf(entry: Entry): Span[] {
  const { latency_ms, ttft_ms, client_wait_ms } = entry;
  const spans: Span[] = [];
  const put = (name: SpanName, from: number, ms: number, source: Span["source"]) =>
    spans.push({ name, from, to: Math.max(Math.min(from + ms, latency_ms), from), ms, source });
  const told = toldBy(entry);
  if (told.length > 0) {
    const sum = told.reduce((all, [, ms]) => all + ms, 0);
    const waited = waitedMs(entry);
    const before = waited ?? Math.max(latency_ms - sum, 0);
    put(waited === null ? "rest" : "waiting", 0, before, "measured");
    let at = before;
    for (const [name, ms] of told) {
      put(name, at, ms, "engine");
      at += ms;
    }
    const left = latency_ms - at - (client_wait_ms ?? 0);
    if (left >= LEAST_TAIL_MS) put("tail", at, left, "measured");
  } else if (ttft_ms !== null) {
    put("first", 0, ttft_ms, "measured");
    put("after", ttft_ms, latency_ms - ttft_ms, "measured");
  }
  if (client_wait_ms !== null)
    put("drain", Math.max(latency_ms - client_wait_ms, 0), client_wait_ms, "measured");
  return spans;
}

function toldBy({ load_ms, prefill_ms, decode_ms }: Entry): (readonly [SpanName, number])[] {
  const all = [
    ["load", load_ms],
    ["prefill", prefill_ms],
    ["decode", decode_ms],
  ] as const;
  return all.flatMap(([name, ms]) => (ms === null ? [] : [[name, ms] as const]));
}

/** What loading and reading the prompt leave of the time to the first piece, as the ledger counts it; null: not known. */
export function waitedMs({ ttft_ms, load_ms, prefill_ms }: Entry): number | null {
  if (ttft_ms === null || load_ms === null || prefill_ms === null) return null;
  return Math.max(ttft_ms - load_ms - prefill_ms, 0);
}

/** The parts that such a request has and nobody told. */
export function untoldOf(entry: Entry): SpanName[] {
  const parts: SpanName[] = ["waiting", "load", "prefill"];
  if (entry.operation !== "embedding") parts.push("decode");
  if (entry.stream) parts.push("drain");
  const known = new Set(spansOf(entry).map(({ name }) => name));
  return parts.filter((name) => !known.has(name));
}

/** Why they are not known. */
export function whyUntold({ dialect, status, stream, operation }: Entry): string {
  if (/^(openai|anthropic)\./.test(dialect)) return "Ollama tells no times of its own in this dialect.";
  if (status !== "success") return "It ended before Ollama told its times.";
  if (operation === "embedding") return "Of embeddings Ollama tells no more.";
  return stream ? "Ollama did not tell." : "The reply came whole, so nobody saw when it began.";
}
