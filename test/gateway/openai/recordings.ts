/** Answers that a real Ollama gave, and playing them to a dialect. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { failure } from "../../../src/errors";
import type { Body, Dialect } from "../../../src/gateway/dialects/dialect";
import { openAiChat } from "../../../src/gateway/dialects/openai/chat";
import { openAiCompletions } from "../../../src/gateway/dialects/openai/completions";
import { openAiEmbeddings } from "../../../src/gateway/dialects/openai/embeddings";
import { openAiResponses } from "../../../src/gateway/dialects/openai/responses";

const folder = join(import.meta.dir, "../../recordings/openai");

export interface Recording {
  readonly path: string;
  readonly request: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Every recording is: version, method and path, request body; an empty line; status, headers; an empty line; body. */
export function recording(name: string): Recording {
  const text = readFileSync(join(folder, `${name}.txt`), "utf8");
  const [, path = "", request = "", status = "", headers = "", body = ""] =
    /^Ollama .*\nPOST (.*)\n(.*)\n\n(\d+)\n((?:.+\n)*)\n([\s\S]*)$/.exec(text) ?? [];
  const pairs = headers.split("\n").flatMap((line): [string, string][] => {
    const [key = "", value] = line.split(": ");
    return value === undefined ? [] : [[key, value]];
  });
  return { path, request, status: Number(status), headers: new Headers(pairs), body: bytesOf(body) };
}

export function recordingNames(): string[] {
  return readdirSync(folder).map((name) => name.replace(/\.txt$/, ""));
}

const dialects = [openAiChat, openAiCompletions, openAiEmbeddings, openAiResponses];

export function dialectOf(path: string): Dialect {
  const found = dialects.find((dialect) => {
    const body = bodyOf("{}");
    return dialect.outgoing(body, dialect.ask(body)).path === path;
  });
  if (!found) throw new Error(`no dialect for ${path}`);
  return found;
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export function bodyOf(text: string): Body {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // None.
  }
  return { bytes: bytesOf(text), compressed: false, json };
}

/** What a client gets, and what is told, of an answer to a request whose bytes come in these pieces, a second apart. */
export function play(
  dialect: Dialect,
  request: string,
  { status, headers }: Pick<Recording, "status" | "headers">,
  pieces: readonly Uint8Array[],
) {
  const asked = dialect.ask(bodyOf(request));
  const reply = dialect.reply(asked, { status, headers }, { mostCharacters: 1_000_000, arrivedAt: 0 });
  const out: Uint8Array[] = [];
  let endedBefore = "";
  pieces.forEach((piece, index) => {
    const bytes = reply.take(piece, index * 1000);
    if (reply.ended && endedBefore === "") endedBefore = Buffer.concat(out).toString();
    out.push(bytes);
  });
  out.push(reply.finish(pieces.length * 1000));
  const passed = Buffer.concat(out).toString();
  const broken = reply.ended ? "" : Buffer.from(reply.fail(failure.engineAnswer(502, "broken"))).toString();
  return { asked, passed, broken, head: reply.head, told: reply.told(), endedBefore };
}

/** Bytes cut at these places. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length));
}
