/** Durations as people write them: 500ms, 8s, 10m, 2h, 30d, forever. */

/** "forever": TypeBox takes no Infinity for a number. */
export const FOREVER_MS = Number.MAX_SAFE_INTEGER;

/** The longest that a timer can wait; told to wait longer it fires at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * @param plainUnitMs what a number without a unit counts; 0 where only a 0 may stand without one
 * @returns milliseconds, or undefined for what is no duration
 */
export function readDuration(text: string, plainUnitMs: number): number | undefined {
  if (text.trim() === "forever") return FOREVER_MS;
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*$/.exec(text);
  if (!match) return undefined;
  const unit = match[2] ? units[match[2]] : plainUnitMs || (Number(match[1]) === 0 ? 1 : undefined);
  return unit === undefined ? undefined : Number(match[1]) * unit;
}

/** Such as "30d"; a single hour is "60m". */
export function sayDuration(ms: number): string {
  if (ms >= FOREVER_MS) return "forever";
  if (ms === 0) return "0";
  for (const unit of ["d", "h", "m", "s"] as const) {
    const size = units[unit] ?? 1;
    if (ms >= size && ms % size === 0 && !(unit === "h" && ms === size)) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
