/** The engine as it would have worked: one request a model at a time, models that load and are forgotten, crashes. */
import type { Chance } from "./chance";
import type { DemoModel } from "./models";
import type { Span } from "./week";

/** What one request costs. Times in milliseconds. */
export interface Work {
  /** Behind another request of the same model. */
  readonly waitMs: number;
  readonly loadMs: number;
  /** Whether the model had to be loaded for it. */
  readonly cold: boolean;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

interface Tokens {
  /** Of the whole request, and without what the model has read for the talk's last one. */
  readonly all: number;
  readonly fresh: number;
  readonly out: number;
}

/** How long a model stays in memory after its last request: Ollama's default. */
const KEPT_MS = 300_000;

/** As Corral has it: so many crashes, each within so long of the start. */
const GIVEN_UP_AFTER = 5;
const STABLE_AFTER_MS = 60_000;
const ADVICE = "Its last words are at GET /api/engine/log; start it again with POST /api/engine/restart";

interface Slot {
  /** When it is free for the next request. */
  freeAt: number;
}

export interface MadeUpEngine {
  /** Starts so far, as of that moment. */
  runAt(at: number): number;
  /** Why it is not up at that moment, in the server's words; null while it is. */
  why(at: number): string | null;
  /** What a request costs that comes now; requests come in order. */
  work(at: number, model: DemoModel, tokens: Tokens): Work;
  /** A request that came at `at` holds its model until then. */
  hold(at: number, model: DemoModel, work: Work, until: number): void;
  /** The first crash between two moments, or null. */
  crashBetween(from: number, to: number): number | null;
  /** It crashes at that moment, which is later than all that has come. */
  crash(at: number): void;
}

/** @param bad the span at whose end somebody looks after it */
export function createEngine(chance: Chance, bad: Span): MadeUpEngine {
  const slots = new Map<string, Slot>();
  const crashes: { readonly at: number; readonly upAt: number; readonly inARow: number }[] = [];
  let forgotten = 0;

  /** After a crash nothing is loaded. */
  const forget = (at: number) => {
    const passed = crashes.filter((crash) => crash.at <= at).length;
    if (passed > forgotten) slots.clear();
    forgotten = Math.max(forgotten, passed);
  };

  return {
    runAt: (at) => 1 + crashes.filter((crash) => crash.upAt <= at).length,
    why(at) {
      const down = crashes.find((crash) => crash.at <= at && at < crash.upAt);
      if (down === undefined) return null;
      return down.inARow < GIVEN_UP_AFTER
        ? "Ollama ended by itself (SIGSEGV). It is being restarted"
        : `Ollama ended by itself (SIGSEGV), ${down.inARow} times in a row: no more restarts until asked. ${ADVICE}`;
    },
    work(at, model, { all, fresh, out }) {
      forget(at);
      const slot = slots.get(model.name);
      const startsAt = Math.max(at, slot?.freeAt ?? at);
      const loaded = slot !== undefined && startsAt - slot.freeAt < KEPT_MS;
      // Even a model that is loaded is asked for, which takes Ollama some milliseconds.
      const loadMs = loaded ? chance.within(12, 45) : chance.logNormal(model.loadMs, 0.15);
      const slowness = chance.logNormal(1, 0.08);
      return {
        waitMs: startsAt - at,
        loadMs,
        cold: !loaded,
        prefillMs: chance.within(6, 14) + ((loaded ? fresh : all) * 1000 * slowness) / model.prefillRate,
        decodeMs: (out * 1000 * slowness) / model.decodeRate,
      };
    },
    hold(at, model, { waitMs, loadMs }, until) {
      // Who leaves while a model loads takes the load along, as Ollama has it.
      if (at + waitMs + loadMs > until) slots.delete(model.name);
      else slots.set(model.name, { freeAt: until });
    },
    crashBetween: (from, to) => crashes.find((crash) => crash.at > from && crash.at < to)?.at ?? null,
    crash(at) {
      const last = crashes.at(-1);
      const inARow = last && at - last.upAt < STABLE_AFTER_MS ? last.inARow + 1 : 1;
      const restarted = at + chance.within(2500, 12_000);
      // Given up, it waits for a person, who makes an end of the bad quarter of an hour.
      crashes.push({ at, upAt: inARow < GIVEN_UP_AFTER ? restarted : Math.max(bad.to, restarted), inARow });
    },
  };
}
