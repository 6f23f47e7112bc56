/**
 * A model's name may ask for behaviour:
 *
 *     name   = "sim-" part { "-" part } [ ":" tag ]
 *     part   = flag | number-word digits
 *
 * for instance `sim-tokens100-delay5-think`, `sim-crash3:second`. Each word stands at most once, in any
 * order. The tag is free: it makes several models of one behaviour. A name that begins with "sim-" but
 * breaks the grammar is refused with a 400 that names the part, because a misspelt fault that silently
 * does nothing makes a test pass that tests nothing.
 *
 * Number words (n has up to 9 digits; times in ms):
 *
 *     tokensN   a reply of N tokens             longN     N tokens at full speed (delay 0)
 *     delayN    N ms before each token          prefillN  N ms to read the prompt
 *     loadN     N ms to load the model          silentN   nothing at all is sent for N ms, then as usual
 *     errorN    after N tokens an error line and no done; error0 is a 500 before the first byte
 *     crashN    after N tokens the process kills itself with SIGKILL; crash0: before the first byte
 *     cutN      after N tokens the socket is closed in mid-stream, without the end of the body
 *     endN      after N tokens the body ends properly, but without a done
 *     httpN     that status with an error body in the words of Ollama
 *
 * Flags:
 *
 *     hang      accepts the request and never answers
 *     html      a 200 with an HTML page         empty     a 200 with an empty body
 *     garbage   lines that are not JSON         half      half of the first line, then the end
 *     nul       U+0000 in some tokens           surrogate a lone \ud800 in some tokens
 *     emoji     text of several bytes a character
 *     split     bytes written in pieces cut anywhere, also inside characters and escapes
 *     coalesce  many lines in one write
 *     think     thinking first, then content    tools     a tool call
 *     echo      repeats the last user text      embed     an embedding model
 */

const numberWords = [
  "tokens",
  "long",
  "delay",
  "prefill",
  "load",
  "silent",
  "error",
  "crash",
  "cut",
  "end",
  "http",
] as const;

const flags = [
  "hang",
  "html",
  "empty",
  "garbage",
  "half",
  "nul",
  "surrogate",
  "emoji",
  "split",
  "coalesce",
  "think",
  "tools",
  "echo",
  "embed",
] as const;

type NumberWord = (typeof numberWords)[number];
type Flag = (typeof flags)[number];

/** What a name asks for; a word that is absent was not asked for. */
export type Behaviour = Readonly<Partial<Record<NumberWord, number>> & Partial<Record<Flag, true>>>;

/** A name that begins with "sim-" and breaks the grammar. */
export class BadBehaviour extends Error {}

/**
 * Reads a model's name. A name without "sim-" asks for nothing.
 * @throws BadBehaviour when a part is unknown, lacks its number, or stands twice.
 */
export function parseBehaviour(name: string): Behaviour {
  const [base = ""] = name.toLowerCase().split(":");
  if (!base.startsWith("sim-")) return {};
  const numbers: Partial<Record<NumberWord, number>> = {};
  const asked: Partial<Record<Flag, true>> = {};
  for (const part of base.slice("sim-".length).split("-")) {
    const flag = flags.find((word) => word === part);
    const [, letters, digits] = /^([a-z]+)(\d{1,9})$/.exec(part) ?? [];
    const word = numberWords.find((candidate) => candidate === letters);
    if (flag !== undefined && asked[flag] === undefined) asked[flag] = true;
    else if (word !== undefined && numbers[word] === undefined) numbers[word] = Number(digits);
    else throw new BadBehaviour(`simulator: cannot read "${part}" in model name "${name}"`);
  }
  return { ...numbers, ...asked };
}

/** Every word of the grammar, for tests and help texts. */
export const behaviourWords = { numberWords, flags };
