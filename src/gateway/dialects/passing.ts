/** How replies pass that go to the client as they came: whole ones, and streams of Server-Sent Events. */
import type { Failure } from "../../errors";
import { field, type Head, type Keep, noBytes, type Reply, type Told } from "./dialect";
import { Heard } from "./heard";
import { createSseEvents, type SseEvent } from "./sse";

/** How OpenAI's streams end. */
export const DONE = "[DONE]";
export const noJson = "Ollama answered with something that is no JSON";

/** Follows a whole reply. */
interface WholeReader {
  readonly ended: boolean;
  /** Whether nothing that came was JSON. */
  readonly short: boolean;
  read(text: string, at: number): void;
  told(): Told;
}

/**
 * A whole reply, held until it is whole: its record comes before it, and an engine that dies in it is a clean 502. What
 * was asked for does not tell: an error is whole even to one who asked for a stream.
 * @param worthReading what of the bytes is worth reading, as JSON still: vectors are not
 */
export function heldReply(
  head: Head,
  reader: WholeReader,
  worthReading: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): Reply {
  const type = head.headers.get("content-type") ?? "";
  const held: Uint8Array[] = [];
  let decided = false;
  return {
    get head() {
      return decided ? head : null;
    },
    get ended() {
      return reader.ended;
    },
    // Until it is whole nothing of it has come that could be told apart, or that the client has.
    pieces: 0,
    between: true,
    take(chunk) {
      held.push(chunk);
      return noBytes;
    },
    finish(at) {
      const bytes = held.length === 1 && held[0] ? held[0] : Buffer.concat(held);
      const text = new TextDecoder().decode(worthReading(bytes)).trim();
      if (text !== "") reader.read(text, at);
      // What calls itself JSON and is none, an error page, or nothing, is no answer of an engine's: it is refused.
      decided = head.status !== 200 || !reader.short || !/^(application\/(x-nd)?json|text\/html)/.test(type);
      return decided ? bytes : noBytes;
    },
    fail: () => noBytes,
    // Of a whole reply nobody outside the engine knows when its first token came.
    told: () => ({ ...reader.told(), firstAt: null, longestGapMs: null }),
  };
}

/** What a dialect of Server-Sent Events makes of a reply. Made anew for each, as it may keep state. */
export interface Listener {
  /** Reads an event of a stream. @returns whether the client gets it */
  event(event: SseEvent, json: unknown, at: number): boolean;
  /** Reads a whole reply. */
  whole(json: unknown, at: number): void;
  /** What of a whole reply is worth reading, as JSON still; all of it when absent. */
  worthReading?(bytes: Uint8Array): Uint8Array;
  /** The stream is over and has not said its end. */
  short?(): void;
  /** The words of an error body or event; null where it is none. */
  errorOf(json: unknown): string | null;
  /** The event that ends a broken stream. */
  fail(failure: Failure): string;
}

/** A reply of a dialect whose streams are Server-Sent Events. @param listen makes what reads it */
export function passingEvents(head: Head, keep: Keep, listen: (heard: Heard) => Listener): Reply {
  const heard = new Heard(keep);
  const listener = listen(heard);
  const isStream = (head.headers.get("content-type") ?? "").startsWith("text/event-stream");
  return isStream
    ? eventsReply(head, heard, listener)
    : heldReply(head, wholeReader(head, heard, listener), listener.worthReading);
}

/** An error inside a reply: on record as one. @returns whether it was one */
function noteError(head: Head, heard: Heard, listener: Listener, json: unknown): boolean {
  const words = listener.errorOf(json) ?? (head.status >= 400 ? JSON.stringify(json) : null);
  if (words !== null) heard.refused(head.status, words);
  return words !== null;
}

function wholeReader(head: Head, heard: Heard, listener: Listener): WholeReader {
  let short = true;
  return {
    get ended() {
      return heard.ended;
    },
    get short() {
      return short;
    },
    read(text, at) {
      const json = parse(text);
      if (json === undefined) {
        if (head.status >= 400) heard.refused(head.status, text.slice(0, 500));
        else heard.complain(noJson);
        return;
      }
      short = false;
      if (!noteError(head, heard, listener, json)) listener.whole(json, at);
    },
    told: () => heard.told(),
  };
}

function eventsReply(head: Head, heard: Heard, listener: Listener): Reply {
  const encoder = new TextEncoder();
  const events = createSseEvents();
  // The status line waits for the first event: an engine that ends before it is refused with a status of its own.
  let decided = false;

  /** @returns whether the client gets it */
  function hear(event: SseEvent, at: number): boolean {
    if (event.data === null) return true;
    const json = parse(event.data);
    if (json === undefined) {
      heard.complain(noJson);
      return true;
    }
    return noteError(head, heard, listener, json) || listener.event(event, json, at);
  }

  return {
    get head() {
      return decided ? head : null;
    },
    get ended() {
      return heard.ended;
    },
    get pieces() {
      return heard.pieces;
    },
    // Whole events alone go out.
    between: true,
    take(chunk, at) {
      const fresh = !events.open;
      const passed: Uint8Array[] = [];
      let size = 0;
      for (const event of events.take(chunk)) {
        if (!hear(event, at)) continue;
        passed.push(event.bytes);
        size += event.bytes.length;
      }
      decided ||= passed.length > 0;
      if (passed.length === 1 && passed[0]) return passed[0];
      // Whole events, and all of them pass: it is the chunk as it came, and needs no copy.
      return fresh && size === chunk.length ? chunk : Buffer.concat(passed);
    },
    finish(at) {
      const rest = events.rest();
      // An event without its empty line is none, by the standard: only a reply's end is taken so.
      const isWhole = rest !== null && rest.data !== null && parse(rest.data) !== undefined;
      const passes = isWhole && hear(rest, at) && heard.ended;
      if (!heard.ended) listener.short?.();
      decided ||= passes;
      return passes ? rest.bytes : noBytes;
    },
    fail: (failure) => encoder.encode(listener.fail(failure)),
    told: () => heard.told(),
  };
}

/** The data of an event as JSON; undefined where it is none. OpenAI's end of a stream stands for itself. */
function parse(data: string): unknown {
  if (data === DONE) return data;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** `error.message` of an OpenAI or Anthropic error; the whole of it where there is none. */
export function errorWords(json: unknown): string | null {
  const error = field(json, "error");
  if (error === undefined || error === null) return null;
  const message = field(error, "message");
  return typeof message === "string" ? message : typeof error === "string" ? error : JSON.stringify(error);
}
