/** Repeatable chance: all that the history makes up comes from a seed, so the same seed tells the same week. */
import { random } from "../simulator/random";

export interface Chance {
  /** A number from `low` up to `high`. */
  within(low: number, high: number): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  happens(share: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** One of the values, each as likely as its weight says. */
  weighted<T extends { readonly weight: number }>(values: readonly T[]): T;
  /** So many of the values, in their order. */
  some<T>(values: readonly T[], count: number): T[];
  /** Half of the numbers are below the median; two thirds within a factor of e^spread of it. */
  logNormal(median: number, spread: number): number;
  /** How many events come where so many are expected (Poisson). */
  arrivals(expected: number): number;
  /** So many hexadecimal digits. */
  hex(digits: number): string;
}

/** @param purpose gives each use numbers of its own: more of one does not change another */
export function createChance(seed: number, purpose: string): Chance {
  const source = random(seed, "demo", purpose);
  const pick = <T>(values: readonly T[]): T => {
    const value = values[source.between(0, values.length - 1)];
    if (value === undefined) throw new Error("there is nothing to pick from");
    return value;
  };
  return {
    within: (low, high) => low + source.next() * (high - low),
    between: source.between,
    happens: (share) => source.next() < share,
    pick,
    weighted(values) {
      let rest = source.next() * values.reduce((sum, value) => sum + value.weight, 0);
      for (const value of values) {
        rest -= value.weight;
        if (rest < 0) return value;
      }
      return pick(values);
    },
    some(values, count) {
      let wanted = Math.min(count, values.length);
      return values.filter((_, at) => {
        const taken = source.next() * (values.length - at) < wanted;
        if (taken) wanted--;
        return taken;
      });
    },
    logNormal(median, spread) {
      // Box and Muller; 1 - next() is never 0.
      const radius = Math.sqrt(-2 * Math.log(1 - source.next()));
      return median * Math.exp(spread * radius * Math.cos(2 * Math.PI * source.next()));
    },
    arrivals(expected) {
      const limit = Math.exp(-expected);
      let count = 0;
      for (let product = source.next(); product > limit; product *= source.next()) count++;
      return count;
    },
    hex: source.hex,
  };
}
