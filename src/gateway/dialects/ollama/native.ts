/**
 * What Ollama's own endpoints share: NDJSON or one whole object, errors as `{"error": "..."}`, counts and durations on
 * the last object. Bytes pass as they came; only a stream that broke gets an error line appended.
 */
import type { Failure } from "../../../errors";
import {
  type Asked,
  countField,
  field,
  type Head,
  type Heartbeat,
  type Keep,
  noBytes,
  type Reply,
  type Told,
  textField,
} from "../dialect";
import { type Figures, Heard, type Piece } from "../heard";
import { createLines } from "../lines";
import { heldReply, noJson } from "../passing";

export type { Piece } from "../heard";

const encoder = new TextEncoder();

/** What a request says, its names in lower case: Go takes them in any. */
export function lowerNames(json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  const names = Object.keys(json);
  return names.some((name) => name !== name.toLowerCase())
    ? Object.fromEntries(Object.entries(json).map(([name, value]) => [name.toLowerCase(), value]))
    : json;
}

/** What all of Ollama's inference requests ask in the same way. @param json its names in lower case */
export function askNative(
  json: unknown,
): Pick<Asked, "model" | "stream" | "user" | "system" | "options" | "wrong"> {
  const kept: Record<string, unknown> = {};
  for (const name of [
    "options",
    "format",
    "keep_alive",
    "think",
    "tools",
    "suffix",
    "template",
    "raw",
    "truncate",
    "dimensions",
  ]) {
    const value = field(json, name);
    if (value !== undefined) kept[name] = value;
  }
  return {
    // An empty name counts as none: Ollama says so itself.
    model: textField(json, "model") || null,
    stream: field(json, "stream") !== false,
    user: null,
    system: textField(json, "system"),
    options: Object.keys(kept).length > 0 ? JSON.stringify(kept) : null,
    wrong: null,
  };
}

/** Follows a reply of Ollama's: its frames' texts, counts and end. Used by each dialect that Ollama's frames are behind. */
export class NativeReader {
  readonly #lines = createLines();
  /** Of a whole reply: what has come so far. */
  #held: Uint8Array[] = [];
  #inLine = false;
  readonly #heard: Heard;
  #read = false;

  /**
   * @param whole whether the reply is one object, on however many lines, and not a frame a line
   * @param isLast whether a frame ends its reply
   */
  constructor(
    readonly status: number,
    readonly whole: boolean,
    keep: Keep,
    readonly pieceOf: (frame: unknown) => Piece,
    readonly isLast: (frame: unknown) => boolean = (frame) => field(frame, "done") === true,
  ) {
    this.#heard = new Heard(keep);
  }

  get ended(): boolean {
    return this.#heard.ended;
  }
  get error(): string | null {
    return this.#heard.error;
  }
  get pieces(): number {
    return this.#heard.pieces;
  }
  /** Whether no JSON at all has come. */
  get short(): boolean {
    return !this.#read;
  }
  /** Whether the last line that came has no end. */
  get inLine(): boolean {
    return this.#inLine || this.#lines.open;
  }

  /** The pieces in a chunk. */
  take(chunk: Uint8Array, at: number): Piece[] {
    if (this.whole) {
      this.#held.push(chunk);
      return [];
    }
    return this.#lines.take(chunk).flatMap((line) => this.read(line, at));
  }

  /** The engine's bytes are over: reads a whole reply, or a last line that has no end. */
  finish(at: number): Piece[] {
    const line = this.whole ? new TextDecoder().decode(Buffer.concat(this.#held)).trim() : this.#lines.rest();
    if (line === "") return [];
    this.#inLine = true;
    return this.read(line, at);
  }

  told(): Told {
    return this.#heard.told();
  }

  /** The piece in a frame. */
  read(line: string, at: number): Piece[] {
    // What began as no reply is none, however it goes on.
    if (this.error !== null && !this.#read) return [];
    let frame: unknown;
    try {
      frame = JSON.parse(line);
    } catch {
      this.#heard.complain(noJson);
      if (this.status >= 400) this.#heard.refused(this.status, line.slice(0, 500));
      return [];
    }
    this.#read = true;
    const error = field(frame, "error");
    if (error !== undefined || this.status >= 400) {
      this.#heard.refused(this.status, typeof error === "string" ? error : JSON.stringify(error ?? frame));
      return [];
    }
    const piece = this.pieceOf(frame);
    this.#heard.note(piece, at);
    if (this.isLast(frame)) {
      const finishReason = textField(frame, "done_reason");
      this.#heard.count({ ...figuresOf(frame), finishReason });
      this.#heard.end(finishReason === "length" ? "length" : "complete", null);
    }
    return [piece];
  }
}

function figuresOf(frame: unknown): Figures {
  return {
    tokensIn: countField(frame, "prompt_eval_count"),
    tokensOut: countField(frame, "eval_count"),
    tokensCached: countField(frame, "prompt_eval_cached_count"),
    loadMs: durationMs(frame, "load_duration"),
    prefillMs: durationMs(frame, "prompt_eval_duration"),
    decodeMs: durationMs(frame, "eval_duration"),
  };
}

/** A frame without content, as Ollama itself sends one now and then. @param empty its field of content, empty */
export function emptyFrame(asked: Asked, empty: object): Heartbeat {
  const frame = { model: asked.model ?? "", created_at: new Date().toISOString(), ...empty, done: false };
  return {
    headers: new Headers({ "content-type": "application/x-ndjson" }),
    bytes: encoder.encode(`${JSON.stringify(frame)}\n`),
  };
}

/** A reply that passes to the client as it is. */
export function passingReply(head: Head, keep: Keep, pieceOf: (frame: unknown) => Piece): Reply {
  const type = head.headers.get("content-type") ?? "";
  const whole = !type.startsWith("application/x-ndjson");
  const reader = new NativeReader(head.status, whole, keep, pieceOf);
  if (whole) return heldReply(head, reader);
  // The status line waits for the first bytes: an engine that ends before them is refused with a status of its own.
  let decided = false;
  return {
    get head() {
      return decided ? head : null;
    },
    get ended() {
      return reader.ended;
    },
    get pieces() {
      return reader.pieces;
    },
    get between() {
      return !reader.inLine;
    },
    take(chunk, at) {
      reader.take(chunk, at);
      decided = true;
      return chunk;
    },
    finish(at) {
      reader.finish(at);
      return noBytes;
    },
    fail: (failure) =>
      encoder.encode(`${reader.inLine ? "\n" : ""}${JSON.stringify({ error: failure.message })}\n`),
    told: () => reader.told(),
  };
}

/** Ollama's error body. */
export function refuseNative(failure: Failure): Response {
  return Response.json({ error: failure.message, ...failure.fields }, { status: failure.status });
}

function durationMs(frame: unknown, name: string): number | null {
  const value = field(frame, name);
  return typeof value === "number" && value >= 0 && value < 1e18 ? value / 1e6 : null;
}
