/** The "engine": turns a request into a row of events, in simulated time and with the faults that were asked for. */
import { insteadOf } from "./faults";
import type { Model } from "./models";
import { attended, play } from "./play";
import { type Prompt, replyTokens, type Token } from "./text";
import { wait } from "./wait";
import type { World } from "./world";

/** Numbers of a finished reply; durations in ns. */
export type Timing = {
  total: number;
  load: number;
  promptCount: number;
  prompt: number;
  evalCount: number;
  eval: number;
};

export type Finish = { reason: string; timing: Timing };

/** Every event but a token is the last one. */
export type Event =
  | { type: "token"; token: Token }
  | { type: "done"; finish: Finish }
  | { type: "error"; message: string }
  | { type: "end" }
  | { type: "cut" }
  /** Another answer than the one that was asked for. */
  | { type: "instead"; response: () => Response };

/** What a request asks of the engine, whatever its dialect. */
export type Ask = {
  model: Model;
  prompt: Prompt;
  /** Tokens of the prompt that reach a model with such a context. @throws Refusal where nothing may be left out */
  promptTokens: (contextLength: number) => number;
  limit: number | undefined;
  contextLength: number | undefined;
  keepAliveMs: number | undefined;
};

const defaultDelayMs = 2;
const defaultPrefillMs = 1;
const failure = "an error was encountered while running the model: simulated failure";
const abortion = "aborting completion request due to client closing the connection";

/**
 * Runs a request. Leaving early, by `return` or by the signal, stops it at once.
 * @throws Gone when the client leaves
 */
export function generate(world: World, ask: Ask, signal: AbortSignal): AsyncGenerator<Event, void> {
  // A name that asks for half a line ends the body itself, after the first token.
  const isLast = (event: Event) => event.type !== "token" || ask.model.behaviour.half === true;
  return attended(world, run(world, ask, signal), isLast, abortion);
}

async function* run(world: World, ask: Ask, signal: AbortSignal): AsyncGenerator<Event, void> {
  const { behaviour } = ask.model;
  const started = performance.now();
  const response = await insteadOf(behaviour, signal);
  if (response) return yield { type: "instead", response };
  const use = await world.memory.use(ask.model, ask, signal);
  try {
    const loaded = performance.now();
    const promptTokens = ask.promptTokens(use.contextLength);
    const prefillMs = behaviour.prefill ?? defaultPrefillMs;
    await wait(signal, prefillMs);
    const read = performance.now();

    const limit = ask.limit !== undefined && ask.limit > 0 ? ask.limit : Number.POSITIVE_INFINITY;
    const delayMs = behaviour.delay ?? (behaviour.long === undefined ? defaultDelayMs : 0);
    const tokens = replyTokens(ask.prompt, behaviour, world.settings.seed).slice(0, limit);
    for await (const step of play(world, behaviour, tokens, delayMs, signal)) {
      if (step.type === "item") yield { type: "token", token: step.item };
      else return yield step.type === "error" ? { type: "error", message: failure } : step;
    }

    const ended = performance.now();
    // Timers may ring a little early; a reported time is never shorter than the one that was asked for.
    const load = nanoseconds(Math.max(loaded - started, use.loadMs));
    const prompt = nanoseconds(Math.max(read - loaded, prefillMs));
    const evaluation = nanoseconds(Math.max(ended - read, tokens.length * delayMs));
    const timing = {
      total: Math.max(nanoseconds(ended - started), load + prompt + evaluation),
      load,
      promptCount: promptTokens,
      prompt,
      evalCount: tokens.length,
      eval: evaluation,
    };
    yield { type: "done", finish: { reason: tokens.length >= limit ? "length" : "stop", timing } };
  } finally {
    use.release(ask.keepAliveMs);
  }
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}
