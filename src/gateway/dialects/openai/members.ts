/** Where the members of a JSON object stand, in bytes. Only for what JSON.parse has read: it looks at nothing twice. */

export interface Member {
  /** Without its escapes. */
  readonly name: string;
  /** Its value's first byte, and the one behind its last. */
  readonly from: number;
  readonly to: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const [OPEN_BRACE, CLOSE_BRACE] = [0x7b, 0x7d];
const [OPEN_BRACKET, CLOSE_BRACKET] = [0x5b, 0x5d];

/** The members of the object whose brace is at `open`, in their order. @throws nothing where the JSON is valid */
export function* membersOf(bytes: Uint8Array, open: number): Generator<Member, void> {
  let at = afterSpace(bytes, open + 1);
  while (bytes[at] === QUOTE) {
    const nameEnd = afterString(bytes, at);
    const name = nameOf(bytes.subarray(at, nameEnd));
    const colon = afterSpace(bytes, nameEnd);
    if (name === null || bytes[colon] !== COLON) return;
    const from = afterSpace(bytes, colon + 1);
    const to = afterValue(bytes, from);
    yield { name, from, to };
    at = afterSpace(bytes, to);
    if (bytes[at] !== COMMA) return;
    at = afterSpace(bytes, at + 1);
  }
}

function nameOf(quoted: Uint8Array): string | null {
  try {
    const name: unknown = JSON.parse(new TextDecoder().decode(quoted));
    return typeof name === "string" ? name : null;
  } catch {
    return null;
  }
}

function afterSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

/** Quotes are looked for and not every byte: an image is one string of megabytes. */
function afterString(bytes: Uint8Array, quote: number): number {
  let at = bytes.indexOf(QUOTE, quote + 1);
  while (at !== -1 && isEscaped(bytes, at, quote)) at = bytes.indexOf(QUOTE, at + 1);
  return at === -1 ? bytes.length : at + 1;
}

function isEscaped(bytes: Uint8Array, at: number, quote: number): boolean {
  let from = at;
  while (from - 1 > quote && bytes[from - 1] === BACKSLASH) from--;
  return (at - from) % 2 === 1;
}

function afterValue(bytes: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = afterString(bytes, at) - 1;
      if (depth === 0) return at + 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      // The end of the object around a number or a word.
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || afterSpace(bytes, at) > at)) return at;
  }
  return bytes.length;
}
