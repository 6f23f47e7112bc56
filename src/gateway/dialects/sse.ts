/**
 * Bytes cut anywhere, back into Server-Sent Events, each with the very bytes that it came in: a dialect reads the event
 * and hands the bytes on, or leaves that one event out. Whole events only: of a half one the client can do nothing, and
 * where the engine breaks off in it an error can follow that the half would have spoilt.
 */

import type { Heartbeat } from "./dialect";

const NEWLINE = 10;
const RETURN = 13;
/** A longer event is none of a reply's: it is let through unread, so that what is held stays bounded. */
const LONGEST_EVENT_BYTES = 64_000_000;

/** A comment keeps a stream of events awake, and no client sees it. */
export function commentBeat(): Heartbeat {
  return {
    headers: eventStream(),
    bytes: new TextEncoder().encode(": heartbeat\n\n"),
  };
}

/** The headers of a stream of events that is ours. */
export function eventStream(): Headers {
  return new Headers({ "content-type": "text/event-stream", "cache-control": "no-cache" });
}

export interface SseEvent {
  /** Its `event:` field, null where it has none. */
  readonly event: string | null;
  /** Its `data:` lines, joined by newlines; null where it has none: a comment, or an empty line too many. */
  readonly data: string | null;
  /** As it came, with the empty line that ends it. All events' bytes and the rest, one behind the other, are what came. */
  readonly bytes: Uint8Array;
}

export interface SseEvents {
  /** Whether an event stands unfinished. */
  readonly open: boolean;
  /** The events that a chunk completes. */
  take(chunk: Uint8Array): SseEvent[];
  /** What stands unfinished when the bytes are over, as an event; null for nothing. */
  rest(): SseEvent | null;
}

/** Reads `\n` and `\r\n` as ends of lines; no engine ends them with a `\r` alone. */
export function createSseEvents(): SseEvents {
  const decoder = new TextDecoder();
  /** Of the event that has begun: the chunks before this one. */
  let parts: Uint8Array[] = [];
  let size = 0;
  /** Whether the line that has begun is empty so far, but for a `\r`. */
  let empty = true;

  function complete(last: Uint8Array): SseEvent {
    const bytes = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    size = 0;
    empty = true;
    return { ...fieldsOf(decoder.decode(bytes)), bytes };
  }

  return {
    get open() {
      return size > 0;
    },
    take(chunk) {
      const events: SseEvent[] = [];
      let from = 0;
      let lineFrom = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, lineFrom)) {
        const blank = empty && (end === lineFrom || (end === lineFrom + 1 && chunk[lineFrom] === RETURN));
        empty = true;
        lineFrom = end + 1;
        if (!blank) continue;
        events.push(complete(chunk.subarray(from, lineFrom)));
        from = lineFrom;
      }
      if (from === chunk.length) return events;
      const open = chunk.subarray(lineFrom);
      empty &&= open.length === 0 || (open.length === 1 && open[0] === RETURN);
      const held = chunk.subarray(from);
      if (size + held.length > LONGEST_EVENT_BYTES) {
        events.push({ event: null, data: null, bytes: Buffer.concat([...parts, held]) });
        parts = [];
        size = 0;
      } else {
        parts.push(held);
        size += held.length;
      }
      return events;
    },
    rest: () => (size === 0 ? null : complete(new Uint8Array(0))),
  };
}

function fieldsOf(text: string): { event: string | null; data: string | null } {
  let event: string | null = null;
  let data: string | null = null;
  for (const line of text.split("\n")) {
    if (line.startsWith("data:")) {
      const value = readValue(line, "data:");
      data = data === null ? value : `${data}\n${value}`;
    } else if (line.startsWith("event:")) event = readValue(line, "event:");
  }
  return { event, data };
}

/** One space behind the colon is no part of a value, nor is the `\r` of the line's end. */
function readValue(line: string, name: string): string {
  const from = line[name.length] === " " ? name.length + 1 : name.length;
  return line.endsWith("\r") ? line.slice(from, -1) : line.slice(from);
}
