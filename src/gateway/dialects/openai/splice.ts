/**
 * Where a chat's body is told to ask for usage: `stream_options.include_usage`. The client's bytes are never written
 * anew; a few are put between them. Where the place is not certain, there is none.
 */
import { type Body, field, type Splice } from "../dialect";
import { membersOf } from "./members";

const OPTIONS = "stream_options";
const USAGE = "include_usage";

/** Where to ask for usage on Corral's behalf; null where the client asks itself, or where there is no certain place. */
export function findUsageSplice({ bytes, compressed, json }: Body): Splice | null {
  if (compressed || field(json, "stream") !== true) return null;
  // What stands before the brace (a BOM) Ollama refuses.
  const open = bytes.findIndex((byte) => !isSpace(byte));
  if (bytes[open] !== BRACE) return null;
  // Most have none: what JSON.parse did not find is not there, and needs no look for it.
  if (!Object.keys(Object(json)).some((name) => isSame(name, OPTIONS)))
    return { from: open + 1, to: open + 1, text: `"${OPTIONS}":{"${USAGE}":true},` };

  const options = theOnly(bytes, open, OPTIONS);
  if (options === null) return null;
  if (options.text === "null") return { ...options, text: `{"${USAGE}":true}` };
  if (bytes[options.from] !== BRACE) return null;
  const inside = field(json, OPTIONS);
  const names = Object.keys(Object(inside));
  if (!names.some((name) => isSame(name, USAGE))) {
    const at = options.from + 1;
    return { from: at, to: at, text: `"${USAGE}":true${names.length > 0 ? "," : ""}` };
  }
  const usage = theOnly(bytes, options.from, USAGE);
  return usage?.text === "false" || usage?.text === "null" ? { ...usage, text: "true" } : null;
}

/** The body with its splice; all other bytes are the client's. */
export function withSplice(
  bytes: Uint8Array<ArrayBuffer>,
  { from, to, text }: Splice,
): Uint8Array<ArrayBuffer> {
  const between = new TextEncoder().encode(text);
  const out = new Uint8Array(bytes.length - (to - from) + between.length);
  out.set(bytes.subarray(0, from));
  out.set(between, from);
  out.set(bytes.subarray(to), from + between.length);
  return out;
}

const BRACE = 0x7b;

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Go takes a name whatever its case, the long s of old prints included; to upper case they are one. */
function isSame(name: string, wanted: string): boolean {
  return name.toUpperCase() === wanted.toUpperCase();
}

/** The value of a member that stands there once, by its exact name; which of several Go would take is its own affair. */
function theOnly(
  bytes: Uint8Array,
  open: number,
  wanted: string,
): { from: number; to: number; text: string } | null {
  let found: { from: number; to: number } | null = null;
  for (const member of membersOf(bytes, open)) {
    if (!isSame(member.name, wanted)) continue;
    if (found !== null || member.name !== wanted) return null;
    found = { from: member.from, to: member.to };
  }
  if (found === null) return null;
  // Longer than any word is nothing that is asked for here.
  const text = new TextDecoder().decode(bytes.subarray(found.from, Math.min(found.to, found.from + 16)));
  return { ...found, text };
}
