/**
 * What a real Ollama answered, kept as a text: its version, the request, then status, headers that matter and the body
 * to the byte. The models "smollm2-tools" and "smollm2-embed" are smollm2:135m with a template that shows it a tool
 * call, and with a pooling type in its GGUF: the smallest that call tools, think and embed.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { failure } from "../../../src/errors";
import type { Asked, Dialect, Head } from "../../../src/gateway/dialects/dialect";

const folder = join(import.meta.dir, "../../recordings");

export interface Recording {
  readonly version: string;
  readonly path: string;
  readonly request: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export function recordings(of: string): string[] {
  return readdirSync(join(folder, of)).map((file) => `${of}/${file.replace(/\.txt$/, "")}`);
}

/** @param name such as "anthropic/stream" */
export function recording(name: string): Recording {
  const text = readFileSync(join(folder, `${name}.txt`), "utf8");
  const [asked = "", head = ""] = text.split("\n\n", 2);
  const [version = "", path = "", request = ""] = asked.split("\n");
  const [status = "", ...headers] = head.split("\n");
  return {
    version: version.replace("Ollama ", ""),
    path: path.replace("POST ", ""),
    request,
    status: Number(status),
    headers: new Headers(headers.map((line): [string, string] => splitAt(line, ": "))),
    body: text.slice(asked.length + head.length + 4),
  };
}

function splitAt(line: string, mark: string): [string, string] {
  const at = line.indexOf(mark);
  return [line.slice(0, at), line.slice(at + mark.length)];
}

/** What a body asks in a dialect. */
export function askedOf(dialect: Dialect, body: object | string): Asked {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return dialect.ask({ bytes: new TextEncoder().encode(text), compressed: false, json });
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

/** Bytes cut at these places, modulo their length. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.slice(from, sorted[index] ?? bytes.length));
}
