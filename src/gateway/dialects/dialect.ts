/** What every dialect can do. Pure, without I/O: what a request asks, what a reply says. */
import type { Failure } from "../../errors";
import type { EngineFigures, Operation, Outcome } from "../../ledger/record";

/** A request's body, read once. */
export interface Body {
  /** As they came. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether they are compressed: they go on as they are, and nothing can be put into them. */
  readonly compressed: boolean;
  /** What they say, as JSON or as the dialect reads it; undefined where they can't be read. */
  readonly json: unknown;
}

/** What a request asks, as far as it can be read: an unreadable field is null. */
export interface Asked {
  readonly operation: Operation;
  readonly model: string | null;
  readonly stream: boolean;
  /** Who is behind the client, where the dialect has a field for it. */
  readonly user: string | null;
  /** The last user text. */
  readonly prompt: string | null;
  readonly system: string | null;
  /** JSON of the messages as sent. */
  readonly messages: string | null;
  /** JSON of options, format and the like. */
  readonly options: string | null;
  /** Why the request can't be carried out; it is refused with this. */
  readonly wrong: Failure | null;
  /** What the engine is asked on Corral's behalf, whose answer is taken out of the reply; absent where it is nothing. */
  readonly splice?: Splice | null;
}

/** Bytes for a place in a body, in the stead of those that are there. */
export interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export interface Outgoing {
  readonly path: string;
  /** The same object as came in, unless it must differ. */
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface Head {
  readonly status: number;
  readonly headers: Headers;
}

/** What a reply needs to know beside its bytes. */
export interface Keep {
  /** Most that is kept of its texts. */
  readonly mostCharacters: number;
  /** `performance.now()` at the request's arrival. */
  readonly arrivedAt: number;
}

/** What a reply said. */
export interface Told extends EngineFigures {
  readonly text: string | null;
  readonly thinking: string | null;
  /** JSON */
  readonly toolCalls: string | null;
  /** How it ended, or null while it has not. */
  readonly outcome: Outcome | null;
  /** `performance.now()` of the first piece of content, thinking or tool call. */
  readonly firstAt: number | null;
  readonly longestGapMs: number | null;
}

/** One a request, fed as chunks pass; frames are parsed once, here. */
export interface Reply {
  /** What the client gets as status and headers; null until the engine's first words decide it. */
  readonly head: Head | null;
  /** Whether the reply has said its end: its record is written before these bytes go on. */
  readonly ended: boolean;
  /** Pieces of content, thinking or tool calls that have come. */
  readonly pieces: number;
  /** Whether no frame stands unfinished at the client, so that another may come between. */
  readonly between: boolean;
  /** What the client gets of a chunk. @param at `performance.now()` of its arrival */
  take(chunk: Uint8Array, at: number): Uint8Array;
  /** The engine's bytes are over: what the client still gets. Not `ended` after it: the reply stopped short. */
  finish(at: number): Uint8Array;
  /** Ends a broken stream in this dialect. */
  fail(failure: Failure): Uint8Array;
  told(): Told;
}

/** What keeps a silent stream awake, and harms no client of the dialect. */
export interface Heartbeat {
  /** Of the stream, where it begins with one. */
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

export interface Dialect {
  /** Such as "ollama.chat". */
  readonly name: string;
  /** Whether a body on a shared path is this dialect's; the last dialect of a path claims all. */
  claims(body: Body): boolean;
  /** Reads what a body says; absent where that is JSON. Never throws. @param bytes not compressed */
  read?(bytes: Uint8Array<ArrayBuffer>, contentType: string | null): Promise<unknown>;
  ask(body: Body): Asked;
  outgoing(body: Body, asked: Asked): Outgoing;
  reply(asked: Asked, head: Head, keep: Keep): Reply;
  /** Of a stream; absent where the dialect has none. */
  heartbeat?(asked: Asked): Heartbeat;
  /** An error in this dialect, before the status line. */
  refuse(failure: Failure): Response;
}

export const noBytes = new Uint8Array(0);

/** A field of unknown JSON; undefined where there is none. */
export function field(json: unknown, name: string): unknown {
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? Reflect.get(json, name)
    : undefined;
}

/** Texts of a text or of a list of them, a line each; null for anything else, such as tokens. */
export function joinedText(input: unknown): string | null {
  if (typeof input === "string") return input;
  if (!Array.isArray(input)) return null;
  const texts = input.filter((one) => typeof one === "string");
  return texts.length > 0 ? texts.join("\n") : null;
}

export function textField(json: unknown, name: string): string | null {
  const value = field(json, name);
  return typeof value === "string" ? value : null;
}

/** A count as an engine tells it; null for what is absent or no count. */
export function countField(json: unknown, name: string): number | null {
  const value = field(json, name);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
