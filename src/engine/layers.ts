/** How far work on a model's layers is, and how fast it goes, from the progress that Ollama tells. */
import type { Progress } from "./wire";

/** Of the last so many seconds is the speed. */
const WINDOW_MS = 10_000;
/** Two looks nearer to each other are one. */
const STEP_MS = 100;
/** A speed of less time than this would be chance. */
const LEAST_MS = 500;
/** No model has as many. */
const MOST_LAYERS = 10_000;

interface Layer {
  readonly total: number;
  readonly completed: number;
}

export class Layers {
  readonly #layers = new Map<string, Layer>();
  /** Layers that were seen in this try: where one begins is no work of this try's. */
  #seen = new Set<string>();
  #moved = 0;
  readonly #looks: { at: number; moved: number }[] = [];

  /** Bytes of the layers that were told so far; null where none was. */
  get total(): number | null {
    return this.#sum("total");
  }

  /** Bytes that are there, those that were there before included; null where none was told. */
  get completed(): number | null {
    return this.#sum("completed");
  }

  /** @param at `performance.now()` of its arrival */
  take({ digest, total, completed = 0 }: Progress, at: number): void {
    if (digest === undefined || total === undefined) return;
    const before = this.#layers.get(digest);
    if (!before && this.#layers.size >= MOST_LAYERS) return;
    this.#layers.set(digest, { total, completed });
    if (this.#seen.has(digest)) this.#moved += Math.max(0, completed - (before?.completed ?? 0));
    this.#seen.add(digest);
    const last = this.#looks.at(-1);
    if (!last || at - last.at >= STEP_MS) this.#looks.push({ at, moved: this.#moved });
    this.#drop(at);
  }

  /** All of it is there: the last count of a layer is of a moment before its end. */
  finish(): void {
    for (const [digest, { total }] of this.#layers) this.#layers.set(digest, { total, completed: total });
  }

  /** It is tried again: what is there already is no progress of the new try's. */
  again(): void {
    this.#seen = new Set();
  }

  /** Bytes a second; null while that can't be said. */
  rate(at: number): number | null {
    this.#drop(at);
    const base = this.#looks[0];
    if (!base || at - base.at < LEAST_MS) return null;
    return Math.round(((this.#moved - base.moved) * 1000) / (at - base.at));
  }

  /** Seconds until the layers that were told are there; null while that can't be said. */
  secondsLeft(at: number): number | null {
    const rate = this.rate(at);
    const { total, completed } = this;
    if (total === null || completed === null || rate === null || rate <= 0) return null;
    return Math.ceil((total - completed) / rate);
  }

  /** The last look before the window stays: it is what the window is measured from. */
  #drop(at: number): void {
    while ((this.#looks[1]?.at ?? at) <= at - WINDOW_MS) this.#looks.shift();
  }

  #sum(what: "total" | "completed"): number | null {
    if (this.#layers.size === 0) return null;
    let sum = 0;
    for (const layer of this.#layers.values()) sum += layer[what];
    return sum;
  }
}
