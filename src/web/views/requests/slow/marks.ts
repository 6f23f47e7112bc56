/** What happened to an engine meanwhile: models that were loaded, those that had to leave for it, restarts and pulls. */
import type { Entry } from "../../../shared/api";
import * as say from "../../../shared/format";
import { spansOf } from "../request/spans";
import { answeredBefore, endOf, startOf } from "./entries";
import type { Found } from "./load";

export interface Mark {
  readonly kind: "load" | "left" | "event";
  /** ms since 1970; the same where it is a moment. */
  readonly from: number;
  readonly to: number;
  readonly words: string;
}

/** Looks up what a model that is in memory is said to have "loaded" in. */
const LEAST_LOAD_MS = 100;

/** @param entries of one engine */
export function marksOf(entries: readonly Entry[], events: Found["events"]): Mark[] {
  const loads = loadsIn(entries);
  return [
    ...loads.map(({ model, from, to, isTold }) => ({
      kind: "load" as const,
      from,
      to,
      words: `${model} was loaded${isTold ? `: ${say.duration(to - from)}` : ", how long is not told"}`,
    })),
    ...departuresIn(entries, loads, events),
    ...events.map((event) => ({
      kind: "event" as const,
      from: Date.parse(event.timestamp),
      to: Date.parse(event.timestamp) + event.duration_ms,
      words: `${eventWords[event.action](event.model ?? "a model")}${event.status === "success" ? "" : ", which failed"}`,
    })),
  ].sort((a, b) => a.from - b.from);
}

const eventWords: Readonly<Record<Found["events"][number]["action"], (model: string) => string>> = {
  pull: (model) => `${model} was pulled`,
  push: (model) => `${model} was pushed`,
  create: (model) => `${model} was created`,
  copy: (model) => `${model} was copied`,
  delete: (model) => `${model} was deleted`,
  restart: () => "Ollama was restarted",
};

interface Load {
  readonly model: string;
  readonly from: number;
  to: number;
  /** Whether the engine told how long it took. */
  readonly isTold: boolean;
}

/** Of one load each request that waited for it tells; they are one here. */
function loadsIn(entries: readonly Entry[]): Load[] {
  const loads: Load[] = [];
  for (const entry of entries) {
    const { model, load_ms, cold } = entry;
    const isLoad = cold || ((load_ms ?? 0) > LEAST_LOAD_MS && answeredBefore(entry, entries).length === 0);
    if (model === null || !isLoad) continue;
    const span = spansOf(entry).find(({ name }) => name === "load");
    const from = startOf(entry) + (span?.from ?? 0);
    const to = startOf(entry) + (span?.to ?? 0);
    const same = loads.find((load) => load.model === model && load.to >= from && load.from <= to);
    if (same) same.to = Math.max(same.to, to);
    else loads.push({ model, from, to, isTold: span !== undefined });
  }
  return loads;
}

/** Nobody tells when a model leaves memory: it is seen when it must be loaded again, and was there at its last reply. */
function departuresIn(entries: readonly Entry[], loads: readonly Load[], events: Found["events"]): Mark[] {
  return loads.flatMap(({ model, from }) => {
    const ends = entries
      .filter((entry) => entry.model === model && entry.status === "success")
      .map(endOf)
      .filter((end) => end <= from);
    if (ends.length === 0) return [];
    const last = Math.max(...ends);
    const isBetween = (at: number) => at >= last && at <= from;
    const restarted = events.some((one) => one.action === "restart" && isBetween(Date.parse(one.timestamp)));
    const other = loads.find((load) => load.model !== model && isBetween(load.from));
    const why = restarted ? ", since Ollama was restarted" : other ? `, perhaps for ${other.model}` : "";
    return [{ kind: "left" as const, from: last, to: from, words: `${model} left memory in between${why}` }];
  });
}
