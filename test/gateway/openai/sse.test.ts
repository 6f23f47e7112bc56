import { expect, test } from "bun:test";
import fc from "fast-check";
import { createSseEvents } from "../../../src/gateway/dialects/sse";
import { bytesOf, cutAt } from "../recordings";

/** The events in some pieces, and all their bytes one behind the other. */
function read(pieces: readonly Uint8Array[]) {
  const events = createSseEvents();
  const told = pieces.flatMap((piece) => events.take(piece));
  const rest = events.rest();
  const bytes = Buffer.concat([...told, ...(rest ? [rest] : [])].map((event) => event.bytes));
  return {
    bytes: bytes.toString("latin1"),
    events: told.map(({ event, data }) => ({ event, data })),
    rest: rest && { event: rest.event, data: rest.data },
  };
}

test("events are read with their names and data, comments and empty lines too", () => {
  const text =
    'event: a\ndata: {"x":1}\n\ndata:b\r\ndata:  c\r\nid: 7\r\n\r\n: ping\n\n\ndata\n\ndata: 🐎\n\nevent: d\ndata: ha';
  expect(read([bytesOf(text)])).toEqual({
    bytes: Buffer.from(text).toString("latin1"),
    events: [
      { event: "a", data: '{"x":1}' },
      { event: null, data: "b\n c" },
      { event: null, data: null },
      { event: null, data: null },
      { event: null, data: null },
      { event: null, data: "🐎" },
    ],
    rest: { event: "d", data: "ha" },
  });
});

test("bytes cut anywhere make the same events, and no byte is lost", () => {
  const part = fc.constantFrom(
    "data: x",
    "event: e",
    ":",
    "\n",
    "\n\n",
    "\r\n",
    "\r\n\r\n",
    "🐎",
    " ",
    "data:",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 9 }), (parts, places) => {
      const bytes = bytesOf(parts.join(""));
      const whole = read([bytes]);
      expect(whole.bytes).toBe(Buffer.from(bytes).toString("latin1"));
      expect(read(cutAt(bytes, places))).toEqual(whole);
    }),
    { numRuns: 250 },
  );
});

test("an event that never ends is let through unread, and what is held stays bounded", () => {
  const events = createSseEvents();
  const chunk = new Uint8Array(40_000_000).fill(0x61);
  expect(events.take(chunk)).toEqual([]);
  const [passed] = events.take(chunk);
  expect([passed?.data, passed?.bytes.length, events.open]).toEqual([null, 80_000_000, false]);
});
