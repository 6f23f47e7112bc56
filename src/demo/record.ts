/** A made-up request as the ledger would have recorded it: what the gateway notes of each way to end. */
import type { Contents, Outcome, RequestRecord } from "../ledger/record";
import { version } from "../simulator/catalogue";
import type { Chance } from "./chance";
import type { Client } from "./clients";
import type { Work } from "./engine";
import type { DemoModel } from "./models";
import type { Exchange } from "./talk";

/** What a client sends. */
export interface Asking {
  readonly client: Client;
  /** As asked for. */
  readonly model: string;
  readonly exchange: Exchange;
  /** What was said before it in the same talk. */
  readonly before: readonly Exchange[];
  /** The most tokens that the client wants. */
  readonly limit: number | null;
}

/** A request that began, and how it ends. */
export interface Draft extends Asking {
  /** Milliseconds of the epoch; `endsAt` may be a fraction. */
  readonly at: number;
  readonly run: number;
  readonly inFlight: number;
  readonly work: Work | null;
  readonly thinks: boolean;
  readonly tokensIn: number;
  readonly tokensOut: number;
  ending: { readonly outcome: Outcome; readonly status?: number; readonly error?: string };
  endsAt: number;
}

/** About four Latin letters a token, and more tokens than letters of other scripts. */
export function tokensOf(text: string): number {
  const foreign = text.match(/[\u0250-\uFFFF]/g)?.length ?? 0;
  return Math.max(1, Math.round((text.length - foreign) / 3.9 + foreign / 1.3));
}

/** What a model reads of a request: every text, and the words of the template around each. */
export function tokensAsked({ client, exchange, before }: Omit<Asking, "model" | "limit">): number {
  const texts = [
    client.system ?? "",
    ...before.flatMap(({ prompt, reply }) => [prompt, reply]),
    exchange.prompt,
  ];
  return texts.reduce((sum, text) => sum + (text === "" ? 0 : tokensOf(text) + 4), 7);
}

/** What a model would write if nothing stopped it. */
export function tokensAnswered(exchange: Exchange, model: DemoModel): number {
  return tokensOf(exchange.reply) + (model.thinks ? tokensOf(exchange.thinking) : 0);
}

/** The record of a request that is over. */
export function recordOf(draft: Draft, chance: Chance): RequestRecord {
  const { client, work, ending, tokensOut } = draft;
  const latencyMs = exact(draft.endsAt - draft.at);
  const step = work === null ? 0 : work.decodeMs / tokensOut;
  const firstMs = work === null ? Number.POSITIVE_INFINITY : beforeText(work) + step;
  const finished = ending.outcome === "complete" || ending.outcome === "length";
  // Of a whole reply nobody outside the engine knows when its first token came.
  const seen = client.stream && firstMs < latencyMs && ending.status === undefined;
  const written = finished ? tokensOut : Math.floor((latencyMs - firstMs) / Math.max(step, 0.001)) + 1;
  const told = finished ? work : null;
  return {
    id: uuidOf(draft.at, chance),
    startedAt: new Date(draft.at),
    dialect: client.dialect,
    operation: client.dialect === "ollama.generate" ? "completion" : "chat",
    model: draft.model,
    stream: client.stream,
    clientAddress: client.address,
    userAgent: client.userAgent,
    user: null,
    traceparent: null,
    engineVersion: version,
    engineRun: draft.run,
    inFlight: draft.inFlight,
    modelDigest: null,
    cold: work === null ? null : work.cold,
    outcome: ending.outcome,
    httpStatus: ending.status ?? statusOf(ending.outcome, seen),
    upstreamStatus: ending.status ?? statusOf(ending.outcome, seen),
    contextLength: null,
    truncated: null,
    latencyMs,
    ttftMs: seen ? exact(firstMs) : null,
    longestGapMs:
      seen && written > 1 ? exact(Math.min(step * chance.within(1.2, 4), latencyMs - firstMs)) : null,
    clientWaitMs: client.stream ? 0 : null,
    tokensIn: told && draft.tokensIn,
    tokensOut: told && tokensOut,
    tokensCached: null,
    loadMs: told && exact(told.loadMs),
    prefillMs: told && exact(told.prefillMs),
    decodeMs: told && exact(told.decodeMs),
    finishReason: ending.outcome === "complete" ? "stop" : finished ? "length" : null,
    error: ending.error ?? (ending.outcome === "engine_crash" ? crashed(seen) : null),
    modelKnown: ending.status !== 404,
    contents: contentsOf(draft, finished || seen ? written : null),
  };
}

/** How long a request takes until the model writes. */
export function beforeText({ waitMs, loadMs, prefillMs }: Work): number {
  return waitMs + loadMs + prefillMs;
}

function statusOf(outcome: Outcome, seen: boolean): number | null {
  if (seen || outcome === "complete" || outcome === "length") return 200;
  return outcome === "client_abort" ? null : 502;
}

function crashed(seen: boolean): string {
  return `Ollama ended ${seen ? "while" : "before"} it answered: it is being started again, try once more`;
}

/** @param written tokens of the reply that came, or null where none did */
function contentsOf({ client, exchange, before, limit, thinks }: Draft, written: number | null): Contents {
  const chat = client.dialect === "ollama.chat";
  const said = [
    ...(client.system === null ? [] : [{ role: "system", content: client.system }]),
    ...before.flatMap(({ prompt, reply }) => [
      { role: "user", content: prompt },
      { role: "assistant", content: reply },
    ]),
    { role: "user", content: exchange.prompt },
  ];
  const thinking = thinks ? exchange.thinking : "";
  const whole = tokensOf(exchange.reply) + (thinks ? tokensOf(exchange.thinking) : 0);
  // What a model thinks comes first.
  const characters = ((written ?? 0) / whole) * (thinking.length + exchange.reply.length);
  return {
    prompt: exchange.prompt,
    system: client.system,
    messages: chat ? JSON.stringify(said) : null,
    options: optionsOf(client, limit),
    response:
      written === null
        ? null
        : exchange.reply.slice(0, Math.max(0, Math.round(characters - thinking.length))),
    thinking: (written !== null && thinking.slice(0, Math.round(characters))) || null,
    toolCalls: null,
  };
}

/** As each dialect keeps them. */
function optionsOf({ dialect, temperature }: Client, limit: number | null): string | null {
  const given = temperature === null ? {} : { temperature };
  if (dialect === "contract.chat")
    return sayOptions({ ...given, ...(limit === null ? {} : { max_tokens: limit }) });
  const options = sayOptions({ ...given, ...(limit === null ? {} : { num_predict: limit }) });
  return options && `{"options":${options}}`;
}

function sayOptions(options: Readonly<Record<string, number>>): string | null {
  return Object.keys(options).length > 0 ? JSON.stringify(options) : null;
}

/** UUIDv7 of that moment (RFC 9562, 5.7), so that sorting by id is sorting by time. */
function uuidOf(at: number, chance: Chance): string {
  const time = at.toString(16).padStart(12, "0");
  const variant = (8 + chance.between(0, 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${chance.hex(3)}-${variant}${chance.hex(3)}-${chance.hex(12)}`;
}

/** Microseconds, as the gateway writes them. */
function exact(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
