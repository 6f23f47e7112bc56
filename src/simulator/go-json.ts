/**
 * JSON as Go reads and writes it. Ollama's error texts are those of Go's decoder and clients match on
 * them, so the syntax is scanned by hand here to say the same words; JSON.parse then makes the value.
 */

/** What Go's decoder would say about a body that it cannot read. */
export class GoJsonError extends Error {}

type Fields = Record<string, unknown>;

/** Says whether a value is a JSON object, so that its fields may be looked at. */
export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Writes JSON as Go's encoding/json does: `<`, `>`, `&` and two separators are escaped, undefined left out. */
export function goJson(value: unknown): string {
  return (JSON.stringify(value) ?? "null").replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Reads the first JSON value of a text and ignores what follows it, as json.Decoder does.
 * @throws GoJsonError with Go's words, for instance "unexpected EOF"; "EOF" when there is no value at all.
 */
export function parseGoJson(text: string): unknown {
  const start = skipSpace(text, 0);
  if (start >= text.length) throw new GoJsonError("EOF");
  const end = scanValue(text, start, "looking for beginning of value");
  return JSON.parse(text.slice(start, end));
}

/** Go's name for the JSON kind of a value, as used in "cannot unmarshal string into ...". */
export function goKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function invalid(text: string, at: number, context: string): GoJsonError {
  const point = text.codePointAt(at);
  if (point === undefined) return new GoJsonError("unexpected EOF");
  const character = String.fromCodePoint(point);
  const shown =
    character === "'" ? `'\\''` : character === '"' ? `'"'` : `'${JSON.stringify(character).slice(1, -1)}'`;
  return new GoJsonError(`invalid character ${shown} ${context}`);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text.charAt(at))) at++;
  return at;
}

function scanValue(text: string, at: number, context: string): number {
  const character = text.charAt(at);
  if (character === "{") return scanObject(text, at + 1);
  if (character === "[") return scanArray(text, at + 1);
  if (character === '"') return scanString(text, at + 1);
  for (const word of ["true", "false", "null"]) if (word[0] === character) return scanWord(text, at, word);
  const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/.exec(text.slice(at, at + 400));
  if (number) return at + number[0].length;
  if (character === "-") throw invalid(text, at + 1, "in numeric literal");
  throw invalid(text, at, context);
}

function scanWord(text: string, at: number, word: string): number {
  for (let index = 1; index < word.length; index++) {
    if (text[at + index] !== word[index]) {
      throw invalid(text, at + index, `in literal ${word} (expecting '${word[index]}')`);
    }
  }
  return at + word.length;
}

function scanString(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') return at + 1;
    if (character < " ") throw invalid(text, at, "in string literal");
    if (character !== "\\") continue;
    at++;
    if (text[at] === "u") {
      for (let digit = 1; digit <= 4; digit++) {
        if (!/^[\da-fA-F]$/.test(text.charAt(at + digit))) {
          throw invalid(text, at + digit, "in \\u hexadecimal character escape");
        }
      }
    } else if (at >= text.length || !'"\\/bfnrt'.includes(text.charAt(at))) {
      throw invalid(text, at, "in string escape code");
    }
  }
  throw new GoJsonError("unexpected EOF");
}

function scanObject(text: string, from: number): number {
  let at = skipSpace(text, from);
  if (text[at] === "}") return at + 1;
  for (;;) {
    if (text[at] !== '"') throw invalid(text, at, "looking for beginning of object key string");
    at = skipSpace(text, scanString(text, at + 1));
    if (text[at] !== ":") throw invalid(text, at, "after object key");
    at = scanValue(text, skipSpace(text, at + 1), "looking for beginning of value");
    at = skipSpace(text, at);
    if (text[at] === "}") return at + 1;
    if (text[at] !== ",") throw invalid(text, at, "after object key:value pair");
    at = skipSpace(text, at + 1);
  }
}

function scanArray(text: string, from: number): number {
  let at = skipSpace(text, from);
  if (text[at] === "]") return at + 1;
  for (;;) {
    at = skipSpace(text, scanValue(text, at, "looking for beginning of value"));
    if (text[at] === "]") return at + 1;
    if (text[at] !== ",") throw invalid(text, at, "after array element");
    at = skipSpace(text, at + 1);
  }
}
