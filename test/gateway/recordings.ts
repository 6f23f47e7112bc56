/** What a real Ollama answered, kept as texts under test/recordings, and bytes in the pieces that a network makes of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Body } from "../../src/gateway/dialects/dialect";

const folder = join(import.meta.dir, "../recordings");

export interface Recording {
  readonly version: string;
  readonly method: string;
  readonly path: string;
  readonly requestHeaders: Headers;
  readonly request: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** The names of a folder's recordings. @param of such as "anthropic" */
export function recordings(of: string): string[] {
  return readdirSync(join(folder, of)).map((file) => `${of}/${file.replace(/\.txt$/, "")}`);
}

/**
 * Each is: version, method and path, headers where they matter, request body (the fields of a form as JSON, files in
 * base64); an empty line; status, headers that matter; an empty line; the body to the byte.
 * @param name such as "anthropic/stream"
 */
export function recording(name: string): Recording {
  const text = readFileSync(join(folder, `${name}.txt`), "utf8");
  const [asked = "", head = ""] = text.split("\n\n", 2);
  const [version = "", line = "", ...rest] = asked.split("\n");
  const [method = "", path = ""] = line.split(" ");
  const sent = rest.filter((one) => headerOf(one).length > 0);
  const [status = "", ...headers] = head.split("\n");
  return {
    version: version.replace("Ollama ", ""),
    method,
    path,
    requestHeaders: new Headers(sent.flatMap(headerOf)),
    request: rest.slice(sent.length).join("\n"),
    status: Number(status),
    headers: new Headers(headers.flatMap(headerOf)),
    body: text.slice(asked.length + head.length + 4),
  };
}

/** What is no header says how the answer ended, for who reads it. */
function headerOf(line: string): [string, string][] {
  const [, name, value] = /^([\w-]+): (.*)$/.exec(line) ?? [];
  return name === undefined || value === undefined ? [] : [[name, value]];
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A request's body, as a dialect is given it. */
export function bodyOf(text: string): Body {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // None.
  }
  return { bytes: bytesOf(text), compressed: false, json };
}

/** Bytes cut at these places, modulo their length. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length));
}
