/**
 * What Ollama's own endpoints share: NDJSON or one whole object, errors as `{"error": "..."}`, counts and durations on
 * the last object. Bytes pass as they came; only a stream that broke gets an error line appended.
 */
import type { Failure } from "../../../errors";
import type { Outcome } from "../../../ledger/record";
import {
  type Asked,
  type Body,
  countField,
  field,
  type Head,
  type Keep,
  noBytes,
  type Reply,
  type Told,
  textField,
} from "../dialect";
import { createLines } from "../lines";

/** A piece of a reply's text, as one frame carries it. */
export interface Piece {
  readonly text: string | null;
  readonly thinking: string | null;
  readonly toolCalls: readonly unknown[];
}

const encoder = new TextEncoder();

/** What all of Ollama's inference requests ask in the same way. */
export function askNative(
  body: Body,
): Pick<Asked, "model" | "stream" | "user" | "system" | "options" | "wrong"> {
  const kept: Record<string, unknown> = {};
  for (const name of ["options", "format", "keep_alive", "think", "tools", "suffix", "template", "raw"]) {
    const value = field(body.json, name);
    if (value !== undefined) kept[name] = value;
  }
  return {
    // An empty name counts as none: Ollama says so itself.
    model: textField(body.json, "model") || null,
    stream: field(body.json, "stream") !== false,
    user: null,
    system: textField(body.json, "system"),
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
  readonly #keep: Keep;
  #text = "";
  #thinking = "";
  #toolCalls: unknown[] = [];
  #saidText = false;
  #read = false;
  #last: unknown = null;
  #firstAt: number | null = null;
  #lastAt: number | null = null;
  #longestGap: number | null = null;
  #outcome: Outcome | null = null;
  #error: string | null = null;

  /** @param whole whether the reply is one object, on however many lines, and not a frame a line */
  constructor(
    readonly status: number,
    readonly whole: boolean,
    keep: Keep,
    readonly pieceOf: (frame: unknown) => Piece,
  ) {
    this.#keep = keep;
  }

  get ended(): boolean {
    return this.#outcome !== null;
  }
  get error(): string | null {
    return this.#error;
  }
  /** Whether no JSON at all has come. */
  get short(): boolean {
    return !this.#read;
  }
  /** Whether the last line that came has no end. */
  get inLine(): boolean {
    return this.#inLine || this.#lines.open;
  }
  /** Of a whole reply: all its bytes. */
  get held(): Uint8Array {
    return this.#held.length === 1 && this.#held[0] ? this.#held[0] : Buffer.concat(this.#held);
  }

  /** The pieces in a chunk. */
  take(chunk: Uint8Array, at: number): Piece[] {
    if (this.whole) {
      this.#held.push(chunk);
      return [];
    }
    return this.#lines.take(chunk).flatMap((line) => this.#frame(line, at));
  }

  /** The engine's bytes are over: reads a whole reply, or a last line that has no end. */
  finish(at: number): Piece[] {
    const line = this.whole ? new TextDecoder().decode(this.held).trim() : this.#lines.rest();
    if (line === "") return [];
    this.#inLine = true;
    return this.#frame(line, at);
  }

  told(): Told {
    return {
      text: this.#saidText ? this.#text : null,
      thinking: this.#thinking || null,
      toolCalls: this.#toolCalls.length > 0 ? JSON.stringify(this.#toolCalls) : null,
      tokensIn: countField(this.#last, "prompt_eval_count"),
      tokensOut: countField(this.#last, "eval_count"),
      tokensCached: countField(this.#last, "prompt_eval_cached_count"),
      loadMs: durationMs(this.#last, "load_duration"),
      prefillMs: durationMs(this.#last, "prompt_eval_duration"),
      decodeMs: durationMs(this.#last, "eval_duration"),
      finishReason: textField(this.#last, "done_reason"),
      error: this.#error,
      outcome: this.#outcome,
      firstAt: this.#firstAt,
      longestGapMs: this.#longestGap,
    };
  }

  #frame(line: string, at: number): Piece[] {
    // What began as no reply is none, however it goes on.
    if (this.#error !== null && !this.#read) return [];
    let frame: unknown;
    try {
      frame = JSON.parse(line);
    } catch {
      this.#error ??= "Ollama answered with something that is no JSON";
      if (this.status >= 400)
        this.#end(this.status === 404 ? "rejected" : "engine_error", line.slice(0, 500));
      return [];
    }
    this.#read = true;
    const error = field(frame, "error");
    if (error !== undefined || this.status >= 400) {
      const words = typeof error === "string" ? error : JSON.stringify(error ?? frame);
      this.#end(this.status === 404 ? "rejected" : "engine_error", words);
      return [];
    }
    const piece = this.pieceOf(frame);
    this.#note(piece, at);
    if (field(frame, "done") === true) {
      this.#last = frame;
      this.#end(textField(frame, "done_reason") === "length" ? "length" : "complete", null);
    }
    return [piece];
  }

  #note(piece: Piece, at: number): void {
    const room = this.#keep.mostCharacters - this.#text.length - this.#thinking.length;
    if (piece.text !== null) {
      this.#saidText = true;
      this.#text += piece.text.slice(0, Math.max(0, room));
    }
    if (piece.thinking) this.#thinking += piece.thinking.slice(0, Math.max(0, room));
    if (piece.toolCalls.length > 0 && room > 0) this.#toolCalls.push(...piece.toolCalls);
    if (!piece.text && !piece.thinking && piece.toolCalls.length === 0) return;
    this.#firstAt ??= at;
    if (this.#lastAt !== null) this.#longestGap = Math.max(this.#longestGap ?? 0, at - this.#lastAt);
    this.#lastAt = at;
  }

  #end(outcome: Outcome, error: string | null): void {
    this.#outcome ??= outcome;
    if (error !== null) this.#error = error;
  }
}

/** A reply that passes to the client as it is. */
export function passingReply(head: Head, keep: Keep, pieceOf: (frame: unknown) => Piece): Reply {
  const type = head.headers.get("content-type") ?? "";
  // A whole reply is held until it is whole: its record comes first, and an engine that dies in it is a clean 502.
  // What was asked for does not tell: Ollama answers a preload whole even to one who asked for a stream.
  const whole = !type.startsWith("application/x-ndjson");
  const reader = new NativeReader(head.status, whole, keep, pieceOf);
  // The status line waits for the first bytes: an engine that ends before them is refused with a status of its own.
  let decided = false;
  return {
    get head() {
      return decided ? head : null;
    },
    get ended() {
      return reader.ended;
    },
    take(chunk, at) {
      reader.take(chunk, at);
      decided ||= !whole;
      return whole ? noBytes : chunk;
    },
    finish(at) {
      reader.finish(at);
      // What calls itself JSON and is none, an error page, or nothing, is no answer of an engine's: it is refused.
      const short =
        head.status === 200 && /^(application\/(json|x-ndjson)|text\/html)/.test(type) && reader.short;
      decided ||= !short;
      return whole && decided ? reader.held : noBytes;
    },
    fail: (failure) =>
      whole
        ? noBytes
        : encoder.encode(`${reader.inLine ? "\n" : ""}${JSON.stringify({ error: failure.message })}\n`),
    // Of a whole reply nobody outside the engine knows when its first token came.
    told: () => (whole ? { ...reader.told(), firstAt: null, longestGapMs: null } : reader.told()),
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
