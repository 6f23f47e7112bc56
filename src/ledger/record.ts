/** The one list of what is kept of a request: what the spool is read with, and the types of everybody else. */
import { type Static, Type } from "@sinclair/typebox";

export const outcomes = [
  "complete",
  "length",
  "client_abort",
  "canceled",
  "engine_error",
  "engine_crash",
  "timeout",
  "rejected",
  "server_stop",
  "server_crash",
] as const;
/** How a request ended. */
export type Outcome = (typeof outcomes)[number];
export const outcomeSchema = Type.Unsafe<Outcome>(
  Type.Union(outcomes.map((outcome) => Type.Literal(outcome))),
);

export const statuses = ["success", "aborted", "error"] as const;
/** The contract's three words for it. */
export type Status = (typeof statuses)[number];

/** The contract's word for an outcome. */
export function statusOf(outcome: Outcome): Status {
  if (outcome === "complete" || outcome === "length") return "success";
  return outcome === "client_abort" || outcome === "canceled" ? "aborted" : "error";
}

/** The outcomes that the contract's word stands for. */
export function outcomesOf(status: Status): Outcome[] {
  return outcomes.filter((outcome) => statusOf(outcome) === status);
}

export const truncations = ["truncated", "truncated_likely"] as const;
/** That a part of what was sent never reached the model, for sure or in all likelihood. */
export type Truncation = (typeof truncations)[number];

export const operations = ["chat", "completion", "embedding", "transcription"] as const;
/** What kind of work was asked for: no two of them ever share a percentile. */
export type Operation = (typeof operations)[number];
const operationSchema = Type.Unsafe<Operation>(
  Type.Union(operations.map((operation) => Type.Literal(operation))),
);

const text = Type.Union([Type.String(), Type.Null()]);
const number = Type.Union([Type.Number(), Type.Null()]);

/** What is known when a request arrives. */
export type Begun = Readonly<Static<typeof begunSchema>>;
export const begunSchema = Type.Object({
  /** UUIDv7. */
  id: Type.String(),
  startedAt: Type.Date(),
  dialect: Type.String(),
  operation: operationSchema,
  /** Canonical name, as asked for; null where the request named none. */
  model: text,
  stream: Type.Boolean(),
  clientAddress: text,
  userAgent: text,
  /** Who is behind the client, in its own words. */
  user: text,
  /** W3C's, as the client sent it. */
  traceparent: text,
  engineVersion: text,
  engineRun: Type.Number(),
  /** Requests under way at its arrival, itself not counted. */
  inFlight: Type.Number(),
  /** Of the installed model, "sha256:..." */
  modelDigest: text,
  /** Whether the model was not loaded at its arrival; null where that is not known. */
  cold: Type.Union([Type.Boolean(), Type.Null()]),
});

/** Texts, kept apart and for a shorter time. JSON where the client sent structure. */
export type Contents = Readonly<Static<typeof contentsSchema>>;
const contentsSchema = Type.Object({
  prompt: text,
  system: text,
  messages: text,
  options: text,
  response: text,
  thinking: text,
  toolCalls: text,
});

/** What an engine tells of its own work. What it does not tell is null, never 0. */
export type EngineFigures = Readonly<Static<typeof engineFiguresSchema>>;
const engineFiguresSchema = Type.Object({
  tokensIn: number,
  tokensOut: number,
  tokensCached: number,
  /** The engine's own durations. */
  loadMs: number,
  prefillMs: number,
  decodeMs: number,
  finishReason: text,
  error: text,
});

/** A request, whole. Times in milliseconds; what nobody told is null, never 0. */
export type RequestRecord = Readonly<Static<typeof recordSchema>>;
export const recordSchema = Type.Object({
  ...begunSchema.properties,
  ...engineFiguresSchema.properties,
  outcome: outcomeSchema,
  /** What the client was answered; null where it left before. */
  httpStatus: number,
  /** What the engine answered; null where it did not. */
  upstreamStatus: number,
  /** Tokens of context that the model was loaded with. */
  contextLength: number,
  /** null where nothing shows it, or nothing tells. */
  truncated: Type.Union([Type.Literal("truncated"), Type.Literal("truncated_likely"), Type.Null()]),
  /** From arrival to the last byte, by the monotonic clock. */
  latencyMs: Type.Number(),
  /** To the first piece of content, thinking or tool call. */
  ttftMs: number,
  /** The longest wait between two of them. */
  longestGapMs: number,
  /** How long the reply waited for its client to read; null where it was not streamed. */
  clientWaitMs: number,
  /** Whether the engine knows the model: metrics of unknown names are kept under none. */
  modelKnown: Type.Boolean(),
  /** null where texts are not kept. */
  contents: Type.Union([contentsSchema, Type.Null()]),
});

/** Words about what was wrong with a request quote it, and a name that is none may be a text: such are texts, too. */
export function withoutTexts(record: RequestRecord): RequestRecord {
  const isRefused = record.outcome === "rejected" && record.httpStatus === 400;
  return {
    ...record,
    contents: null,
    error: isRefused ? "Invalid request parameters" : record.error,
    model: record.modelKnown || isName(record.model) ? record.model : null,
  };
}

/** Whether it can be no text. */
export function isName(model: string | null): boolean {
  return model !== null && /^[\w.:/-]{1,350}$/.test(model);
}

/** Completion tokens over the engine's own generation time, or null where it told neither. */
export function tokensPerSecond(tokensOut: number | null, decodeMs: number | null): number | null {
  return tokensOut !== null && decodeMs !== null && decodeMs > 0 ? (tokensOut * 1000) / decodeMs : null;
}

/**
 * How long a request waited until its model was loaded or read its prompt, ms: what these two leave of the time to the
 * first piece. null where the engine told neither, as for what is not streamed.
 */
export function queuedMs({
  ttftMs,
  loadMs,
  prefillMs,
}: Pick<RequestRecord, "ttftMs" | "loadMs" | "prefillMs">): number | null {
  if (ttftMs === null || loadMs === null || prefillMs === null) return null;
  return Math.max(ttftMs - loadMs - prefillMs, 0);
}
