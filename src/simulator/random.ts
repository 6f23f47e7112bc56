/** Repeatable randomness: everything that the simulator makes up comes from a seed and a text. */

/** A source of numbers; the same seed gives the same row of them. */
export type Random = {
  /** At least 0 and below 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** One of the texts. */
  pick(texts: readonly string[]): string;
  /** So many hexadecimal digits. */
  hex(digits: number): string;
};

/** Makes a source of numbers (mulberry32) from a seed and any texts that should have a row of their own. */
export function random(seed: number, ...texts: string[]): Random {
  // FNV-1a over the texts: short, and any change of one character changes everything.
  let state = (2166136261 ^ seed) >>> 0;
  for (const text of texts) {
    for (let index = 0; index < text.length; index++) {
      state = Math.imul(state ^ text.charCodeAt(index), 16777619) >>> 0;
    }
    state = Math.imul(state ^ 0xff, 16777619) >>> 0;
  }
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    pick: (texts) => texts[between(0, texts.length - 1)] ?? "",
    hex: (digits) => Array.from({ length: digits }, () => between(0, 15).toString(16)).join(""),
  };
}
