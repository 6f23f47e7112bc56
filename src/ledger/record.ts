/** The one list of what is kept of a request. */

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

/** What kind of work was asked for: no two of them ever share a percentile. */
export type Operation = "chat" | "completion" | "embedding" | "transcription";

/** What is known when a request arrives. */
export interface Begun {
  /** UUIDv7. */
  readonly id: string;
  readonly startedAt: Date;
  readonly dialect: string;
  readonly operation: Operation;
  /** Canonical name, as asked for; null where the request named none. */
  readonly model: string | null;
  readonly stream: boolean;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
  /** Who is behind the client, in its own words. */
  readonly user: string | null;
  /** W3C's, as the client sent it. */
  readonly traceparent: string | null;
  readonly engineVersion: string | null;
  readonly engineRun: number;
  /** Requests under way at its arrival, itself not counted. */
  readonly inFlight: number;
  /** Of the installed model, "sha256:..." */
  readonly modelDigest: string | null;
  /** Whether the model was not loaded at its arrival; null where that is not known. */
  readonly cold: boolean | null;
}

/** Texts, kept apart and for a shorter time. JSON where the client sent structure. */
export interface Contents {
  readonly prompt: string | null;
  readonly system: string | null;
  readonly messages: string | null;
  readonly options: string | null;
  readonly response: string | null;
  readonly thinking: string | null;
  readonly toolCalls: string | null;
}

/** What an engine tells of its own work. What it does not tell is null, never 0. */
export interface EngineFigures {
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  readonly tokensCached: number | null;
  /** The engine's own durations. */
  readonly loadMs: number | null;
  readonly prefillMs: number | null;
  readonly decodeMs: number | null;
  readonly finishReason: string | null;
  readonly error: string | null;
}

/** A request, whole. Times in milliseconds; what nobody told is null, never 0. */
export interface RequestRecord extends Begun, EngineFigures {
  readonly outcome: Outcome;
  /** What the client was answered; null where it left before. */
  readonly httpStatus: number | null;
  /** What the engine answered; null where it did not. */
  readonly upstreamStatus: number | null;
  /** Tokens of context that the model was loaded with. */
  readonly contextLength: number | null;
  /** null where nothing shows it, or nothing tells. */
  readonly truncated: Truncation | null;
  /** From arrival to the last byte, by the monotonic clock. */
  readonly latencyMs: number;
  /** To the first piece of content, thinking or tool call. */
  readonly ttftMs: number | null;
  /** The longest wait between two of them. */
  readonly longestGapMs: number | null;
  /** How long the reply waited for its client to read; null where it was not streamed. */
  readonly clientWaitMs: number | null;
  /** Whether the engine knows the model: metrics of unknown names are kept under none. */
  readonly modelKnown: boolean;
  /** null where texts are not kept. */
  readonly contents: Contents | null;
}

/** Completion tokens over the engine's own generation time, or null where it told neither. */
export function tokensPerSecond(tokensOut: number | null, decodeMs: number | null): number | null {
  return tokensOut !== null && decodeMs !== null && decodeMs > 0 ? (tokensOut * 1000) / decodeMs : null;
}
