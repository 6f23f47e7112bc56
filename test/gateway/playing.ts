/**
 * Playing answers to a dialect. In test/recordings the models "smollm2-tools" and "smollm2-embed" are smollm2:135m with a
 * template that shows it a tool call, and with a pooling type in its GGUF: the smallest that call tools, think and embed.
 */
import { failure } from "../../src/errors";
import type { Asked, Dialect, Head } from "../../src/gateway/dialects/dialect";
import { bodyOf } from "./recordings";

/** What a body asks in a dialect. */
export function askedOf(dialect: Dialect, body: object | string): Asked {
  return dialect.ask(bodyOf(typeof body === "string" ? body : JSON.stringify(body)));
}

/** What a client gets and what is told of a reply whose bytes come in these pieces, a millisecond apart. */
export function play(dialect: Dialect, head: Head, pieces: readonly Uint8Array[]) {
  const reply = dialect.reply(askedOf(dialect, {}), head, { mostCharacters: 1_000_000, arrivedAt: 0 });
  const out = pieces.map((piece, index) => reply.take(piece, index + 1));
  out.push(reply.finish(pieces.length + 1));
  if (!reply.ended && reply.head) out.push(reply.fail(failure.engineAnswer(502, "broken")));
  return {
    client: Buffer.concat(out).toString(),
    status: reply.head?.status ?? null,
    ended: reply.ended,
    told: reply.told(),
  };
}
