/** Times and durations as Go writes and reads them. */

const units: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go's "longest duration", 292 years: what a negative keep_alive comes to. In ms. */
export const forever = 9_223_372_036_854;

/** RFC 3339 with nanoseconds and no trailing zeros, as Go's time.Time in JSON. `at` is in ms since 1970. */
export function goTime(at: number = performance.timeOrigin + performance.now()): string {
  const whole = Math.floor(at / 1000) * 1000;
  const fraction = (((at - whole) / 1000) % 1).toFixed(9).slice(2).replace(/0+$/, "");
  return `${new Date(whole).toISOString().slice(0, 19)}${fraction === "" ? "" : `.${fraction}`}Z`;
}

/**
 * A keep_alive in ms: a number of seconds or a Go duration such as "1h30m"; negative is for ever.
 * @returns undefined when the text is no duration.
 */
export function keepAliveMs(value: string | number): number | undefined {
  const ms = typeof value === "number" ? value * 1000 : durationMs(value);
  return ms === undefined ? undefined : ms < 0 ? forever : ms;
}

function durationMs(text: string): number | undefined {
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.exec(text);
  if (text === "0") return 0;
  if (!match) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(count) * (units[unit ?? ""] ?? 0);
  }
  return match[1] === "-" ? -total : total;
}
