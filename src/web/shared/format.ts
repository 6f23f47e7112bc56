/** Numbers with units, times and durations, in the words of the whole page. A value that is not known is a dash. */
import { signal } from "@preact/signals";

export const unknown = "–";

const counts = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const oneDecimal = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

type Maybe = number | null | undefined;

const known = (value: Maybe): value is number =>
  value !== null && value !== undefined && !Number.isNaN(value);

/** A whole number: 12,345. */
export function count(value: Maybe): string {
  return known(value) ? counts.format(value) : unknown;
}

/** Three digits of it: 45.3. */
export function number(value: Maybe): string {
  return known(value) ? (Math.abs(value) >= 1000 ? counts : short).format(value) : unknown;
}

/** A share from 0 to 1, in percent. */
export function percent(value: Maybe): string {
  return known(value)
    ? `${value > 0 && value < 0.01 ? short.format(value * 100) : counts.format(value * 100)} %`
    : unknown;
}

/** Bytes, decimal as Ollama has them: 4.7 GB. */
export function bytes(value: Maybe): string {
  if (!known(value)) return unknown;
  const units = ["B", "kB", "MB", "GB", "TB"];
  // From where it would be said as a thousand, it is one of the next unit.
  const at = Math.min(Math.floor(Math.log10(Math.max(value / 0.9995, 1)) / 3), units.length - 1);
  const scaled = value / 1000 ** at;
  return `${at === 0 || scaled >= 99.95 ? counts.format(scaled) : oneDecimal.format(scaled)} ${units[at]}`;
}

/** A duration in milliseconds, of the two units that matter: 840 ms, 3.2 s, 2 min 5 s, 3 h 12 min, 4 d 2 h. */
export function duration(ms: Maybe): string {
  if (!known(ms)) return unknown;
  if (ms < 999.5) return `${counts.format(ms)} ms`;
  if (ms < 10_000) return `${oneDecimal.format(Math.max(1, Math.floor(ms / 100) / 10))} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  for (const [big, bigName, small, smallName] of [
    [86_400, "d", 3600, "h"],
    [3600, "h", 60, "min"],
    [60, "min", 1, "s"],
  ] as const) {
    if (seconds < big) continue;
    const rest = Math.floor((seconds % big) / small);
    return `${counts.format(Math.floor(seconds / big))} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ""}`;
  }
  return unknown;
}

export const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** Milliseconds as they were told: 8,203.4 ms. */
export function exactMs(value: Maybe): string {
  return known(value) ? `${tenths.format(value)} ms` : unknown;
}
const clockExact = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
export const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
export const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
export const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });

/** The day that times without one are of; what shows such a time is drawn anew when another begins. */
export const today = signal(new Date().toDateString());

/** A local time: 14:03 today, else with its day, in another year with that. @param exact with seconds */
export function time(at: Date, exact = false): string {
  return at.toDateString() === today.value ? clockTime(at, exact) : dayTime(at, exact);
}

/** As `time`, with its day even today. */
export function dayTime(at: Date, exact = false): string {
  const days = today.value.endsWith(` ${at.getFullYear()}`) ? day : dayOfYear;
  return `${days.format(at)}, ${clockTime(at, exact)}`;
}

/** A local time without its day. @param exact with seconds */
export function clockTime(at: Date, exact: boolean): string {
  return (exact ? clockExact : clock).format(at);
}

/** A moment as a field for a local time has it; "" for none. @param exact with seconds */
export function localField(at: Date, exact = false): string {
  if (Number.isNaN(at.getTime())) return "";
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, exact ? 19 : 16);
}

/** The same in UTC, for whoever compares with a log. */
export function utc(at: Date): string {
  return Number.isNaN(at.getTime()) ? unknown : `${at.toISOString().replace("T", " ").slice(0, 19)} UTC`;
}

/** "1 request", "2 requests". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
