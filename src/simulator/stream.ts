/** Bytes on their way out: pull-based streams and the ways in which writes may be cut or joined. */
import type { Behaviour } from "./behaviour";
import { type Random, random } from "./random";
import { Gone } from "./wait";

/** The socket is to be closed in the middle of the body. */
export class Cut extends Error {}

const linesPerWrite = 16;
const largestPiece = 24;

/**
 * A body that is made as it is read: nothing is produced ahead of the client.
 * @param abandon called when the client leaves
 */
export function toStream(
  pieces: AsyncGenerator<Uint8Array, void>,
  abandon: () => void,
): ReadableStream<Uint8Array> {
  let left = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await pieces.next();
          if (left) return;
          if (next.done) controller.close();
          else controller.enqueue(next.value);
        } catch (error) {
          // An erred stream is how Bun is told to close the socket without an end of the body.
          if (!left) controller.error(error instanceof Cut || error instanceof Gone ? "cut" : error);
        }
      },
      async cancel() {
        left = true;
        abandon();
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Turns texts, each a line or a few, into what is written to the socket at once. */
export async function* shape(
  texts: AsyncGenerator<string, void>,
  behaviour: Behaviour,
  seed: number,
): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  const source = random(seed, "split");
  for await (const text of behaviour.coalesce ? join(texts) : texts) {
    const spoilt = behaviour.garbage ? text.replace(/\{.*\}/g, "{]this is no JSON") : text;
    const bytes = encoder.encode(behaviour.half ? half(spoilt) : spoilt);
    if (bytes.length === 0) continue;
    if (behaviour.split) yield* split(bytes, source);
    else yield bytes;
    if (behaviour.half) return;
  }
}

/** What is left of a text when its sender dies in the middle of its first line. */
function half(text: string): string {
  return text.slice(0, Math.floor((text.indexOf("\n") + 1 || text.length) / 2));
}

async function* join(texts: AsyncGenerator<string, void>): AsyncGenerator<string, void> {
  let waiting: string[] = [];
  try {
    for await (const text of texts) {
      waiting.push(text);
      if (waiting.length < linesPerWrite) continue;
      yield waiting.join("");
      waiting = [];
    }
  } catch (error) {
    // What was said before the cut still goes out.
    if (error instanceof Cut && waiting.length > 0) yield waiting.join("");
    throw error;
  }
  if (waiting.length > 0) yield waiting.join("");
}

/** Cuts after each first byte of a character and after each backslash, and elsewhere by chance. */
async function* split(bytes: Uint8Array, source: Random): AsyncGenerator<Uint8Array, void> {
  let start = 0;
  let end = source.between(1, largestPiece);
  for (let at = 1; at < bytes.length; at++) {
    const before = bytes[at - 1] ?? 0;
    if (at < end && before < 0xc0 && before !== 0x5c) continue;
    yield bytes.subarray(start, at);
    // Without a turn of the event loop Bun would join the pieces again.
    await new Promise((resolve) => setImmediate(resolve));
    start = at;
    end = at + source.between(1, largestPiece);
  }
  yield bytes.subarray(start);
}
