/** Why a request took as long as it did, in sentences: only where its numbers show it. */
import type { Entry } from "../../../shared/api";
import * as say from "../../../shared/format";
import { outcomeWords } from "../../../shared/outcomes";
import { spansOf } from "../request/spans";
import { answeredBefore, endOf, startOf, type Usual } from "./entries";

/** A part of its time is worth a sentence from here on. */
const LEAST_MS = 250;
const LEAST_SHARE = 0.15;
/** Slower than the usual by more than this is slower. */
const AS_USUAL = 1.25;
/** A reply that is longer than the average by more than this is a long one. */
const AS_MANY = 1.5;

/** @param others that ran on the same engine at some time */
export function findingsOf(request: Entry, others: readonly Entry[], usual: Usual | null): string[] {
  const matters = (ms: number | null): ms is number =>
    ms !== null && ms >= LEAST_MS && ms >= LEAST_SHARE * request.latency_ms;
  const spans = new Map(spansOf(request).map((span) => [span.name, span]));
  const part = (name: Parameters<typeof spans.get>[0]) => {
    const ms = spans.get(name)?.ms ?? null;
    return matters(ms) ? ms : null;
  };
  const found: string[] = [];
  const [waited, rest, first] = [part("waiting"), part("rest"), part("first")];
  if (waited !== null)
    found.push(`It waited ${say.duration(waited)} for Ollama, which ${busyWith(request, others, waited)}.`);
  if (rest !== null)
    found.push(
      `${say.duration(rest)} are in none of the times that Ollama tells: waiting for its turn, mostly. Ollama ${busyWith(request, others, rest)}.`,
    );
  if (first !== null)
    found.push(
      `Its first piece came after ${say.duration(first)}${besides(first, usual?.percentiles.ttft_ms?.p50)}. How much of that was waiting, loading or reading the prompt Ollama does not tell here; it ${busyWith(request, others, first)}.`,
    );
  const isUntold = !spansOf(request).some(({ name }) => name !== "drain");
  if (isUntold && matters(request.latency_ms))
    found.push(
      `Where its ${say.duration(request.latency_ms)} went nobody told. Ollama ${busyWith(request, others, request.latency_ms)}.`,
    );
  const loaded = part("load");
  const before = answeredBefore(request, others);
  if (loaded !== null && before.length > 0)
    found.push(
      `Ollama counts ${say.duration(loaded)} as loading, though the model was in memory when it came: waiting for its turn, mostly. It ${busyWith(request, before, loaded)}.`,
    );
  else if (loaded !== null)
    found.push(
      `The model was loaded first: ${say.duration(loaded)}${besides(loaded, usual?.percentiles.load_ms?.p50)}.`,
    );
  else if (request.cold && request.load_ms === null)
    found.push(
      "The model was not in memory when it came, and had to be loaded: how long that took is not told.",
    );
  const read = part("prefill");
  if (read !== null) found.push(`${ofPrompt(request)} was read first: ${say.duration(read)}.`);
  const wrote = part("decode") ?? part("after");
  if (wrote !== null) found.push(writing(request, wrote, usual, others));
  const tail = part("tail");
  if (tail !== null) found.push(`${say.duration(tail)} came after all that Ollama tells of.`);
  const drained = part("drain");
  if (drained !== null)
    found.push(`Its client read slowly: the reply waited ${say.duration(drained)} for it.`);
  if (request.status !== "success")
    found.push(`${outcomeWords[request.outcome]}${request.error ? `: ${request.error}` : ""}.`);
  return found.length > 0 ? found : ["Nothing in it took long."];
}

/** Whether it took longer than is usual, in a sentence. */
export function comparedOf({ latency_ms, operation, model }: Entry, usual: Usual | null): string {
  const typical = usual?.percentiles.latency_ms?.p50;
  if (!usual || typical === undefined || usual.successes < 2)
    return `There is no other ${operation} with ${model} of that week to compare it with.`;
  const times = latency_ms / typical;
  const how =
    times > AS_USUAL
      ? `${say.number(times)} times as long as usual`
      : times < 1 / AS_USUAL
        ? "less than usual"
        : "as long as usual";
  return `That is ${how}: half of ${say.plural(usual.successes, operation)} with ${model} in the week before took ${say.duration(typical)} or less.`;
}

/** Those that ran in a part of its time. */
function beside(request: Entry, others: readonly Entry[], from: number, to: number): readonly Entry[] {
  const begin = startOf(request);
  return others.filter(
    (one) => one.id !== request.id && startOf(one) < begin + to && endOf(one) > begin + from,
  );
}

function busyWith(request: Entry, others: readonly Entry[], ms: number): string {
  const there = beside(request, others, 0, ms);
  if (there.length === 0) {
    // What ran then may not be among those that were found.
    const seen = request.in_flight ?? 0;
    return seen > 0
      ? `was busy with ${say.plural(seen, "other request")} when it came`
      : "was busy with nothing else that is on record";
  }
  const models = new Set(there.map(({ model }) => model));
  const name = models.size === 1 ? there[0]?.model : null;
  const whose =
    name === request.model
      ? " of the same model"
      : models.size > 1
        ? ` of ${models.size} models`
        : ` of ${name}`;
  return `was busy with ${say.plural(there.length, "other request")}${whose}`;
}

function besides(ms: number, typical: number | undefined): string {
  if (typical === undefined) return "";
  return ms > typical * AS_USUAL ? `, usually ${say.duration(typical)}` : ", as usual for it";
}

function ofPrompt({ tokens_in, tokens_cached }: Entry): string {
  if (tokens_in === null) return "The prompt";
  const cached = tokens_cached ? `, ${say.count(tokens_cached)} of them from the cache,` : "";
  return `A prompt of ${say.plural(tokens_in, "token")}${cached}`;
}

function writing(request: Entry, ms: number, usual: Usual | null, others: readonly Entry[]): string {
  const { tokens_out, tokens_per_second, latency_ms } = request;
  const mean = usual && usual.requests > 0 ? usual.tokens_out / usual.requests : null;
  const many = mean !== null && (tokens_out ?? 0) > mean * AS_MANY ? ` (${say.count(mean)} on average)` : "";
  const what =
    tokens_out === null ? "The reply was written in" : `It wrote ${say.plural(tokens_out, "token")}${many}:`;
  const speed = tokens_per_second ?? (tokens_out === null ? null : (tokens_out * 1000) / ms);
  if (speed === null) return `${what} ${say.duration(ms)}.`;
  const typical = usual?.percentiles.tokens_per_second?.p50;
  const measured = tokens_per_second === null ? ", as Corral saw them come" : "";
  const how =
    typical === undefined || measured
      ? measured
      : speed * AS_USUAL < typical
        ? `, slower than its usual ${say.number(typical)}${meanwhile(beside(request, others, latency_ms - ms, latency_ms))}`
        : speed > typical * AS_USUAL
          ? `, faster than its usual ${say.number(typical)}`
          : ", as usual for it";
  return `${what} ${say.duration(ms)} at ${say.number(speed)} tokens/s${how}.`;
}

function meanwhile({ length }: readonly Entry[]): string {
  return length === 0 ? "" : `, while ${say.plural(length, "other request")} ran beside it`;
}
