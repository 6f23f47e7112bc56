/** The range of time that is looked at: the last hours, or from one moment to another. It is in the address. */
import { filters, goTo, hrefOf } from "../../shared/address";
import * as say from "../../shared/format";

export interface Range {
  /** How far back from its end; null with `from`. */
  readonly hours: number | null;
  /** RFC 3339. */
  readonly from: string | null;
  /** RFC 3339; null for now. */
  readonly to: string | null;
}

/** Two moments, as the API has answered them. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

export const presets = [
  [1, "1 h"],
  [6, "6 h"],
  [24, "24 h"],
  [168, "7 days"],
  [720, "30 days"],
  [2160, "90 days"],
  [8760, "1 year"],
] as const;

/** Of the days of more the API answers no points. */
export const LONGEST_MS = 4 * 365 * 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** What an address, or a range that was kept of one, asks for: the last day when nothing else. */
export function readRange(query: URLSearchParams): Range {
  const from = query.get("from");
  const to = query.get("to");
  if (from) return { hours: null, from, to };
  const hours = Number(query.get("hours"));
  return { hours: Number.isInteger(hours) && hours > 0 ? hours : 24, from: null, to };
}

export function lastHours(hours: number): Range {
  return { hours, from: null, to: null };
}

/** @param to now where it is not before that */
export function between(from: number, to: number): Range {
  const isOver = to < Date.now() - MINUTE_MS;
  return { hours: null, from: textOf(from), to: isOver ? textOf(to) : null };
}

/** As a heading has it: "24 h", "Tue 24 Nov, 10:00 – 12:30". */
export function sayRange({ hours, to }: Range, span: Span | null): string {
  const preset = presets.find(([length]) => to === null && length === hours);
  if (preset) return preset[1];
  if (!span) return "…";
  const [begin, end] = [new Date(span.from), new Date(span.to)];
  const isOneDay = begin.toDateString() === end.toDateString();
  return `${say.time(begin)} – ${isOneDay ? say.clock.format(end) : say.dayTime(end)}`;
}

/**
 * The same length, before or after; null where the range is none. From what the address asks for, not from what was
 * answered: whoever presses a key twice means two steps.
 * @param direction -1 for earlier, 1 for later
 */
function moved(range: Range, direction: 1 | -1): Range | null {
  const moments = momentsOf(range);
  if (!moments) return null;
  const [from, to] = moments;
  const length = to - from;
  if (to + direction * length < Date.now())
    return between(from + direction * length, to + direction * length);
  const hours = Math.round(length / HOUR_MS);
  const isHours = hours > 0 && Math.abs(length - hours * HOUR_MS) <= 2 * MINUTE_MS;
  return isHours ? lastHours(hours) : between(Date.now() - length, Date.now());
}

/** The next longer of the presets, or three times as much around the same middle, of four years at most. */
function wider(range: Range): Range | null {
  const next = presets.find(([length]) => range.hours !== null && length > range.hours);
  if (next) return lastHours(next[0]);
  const moments = momentsOf(range);
  if (!moments) return null;
  const [begin, end] = moments;
  const length = end - begin;
  const to = Math.min(end + length, Date.now());
  return between(Math.max(begin - length, to - LONGEST_MS, 0), to);
}

/** Goes into a part of the range: `widen` comes back out. */
export function narrow(to: Range): void {
  go(to, [...outer(), textOfRange(readRange(filters.value))]);
}

/** Goes back to the range that this one is a part of, or to a wider one. */
export function widen(): void {
  const ranges = outer();
  const last = ranges.at(-1);
  const to = last === undefined ? wider(readRange(filters.value)) : readRange(new URLSearchParams(last));
  if (to) go(to, ranges.slice(0, -1));
}

/** Goes as far again as the range is long. @param direction -1 for earlier, 1 for later */
export function move(direction: 1 | -1): void {
  const to = moved(readRange(filters.value), direction);
  if (to) go(to, []);
}

/** Goes to a range of its own. */
export function goToRange(to: Range): void {
  go(to, []);
}

/** A step that the browser's own way back undoes; what it is a part of is kept with it. */
function go({ hours, from, to }: Range, outerRanges: readonly string[]): void {
  goTo(hrefOf("history", { ...Object.fromEntries(filters.value), hours, from, to }));
  history.replaceState({ outer: outerRanges }, "");
}

/** The ranges that this one is a part of, the widest first. */
function outer(): string[] {
  const state: unknown = history.state;
  if (typeof state !== "object" || state === null || !("outer" in state)) return [];
  return Array.isArray(state.outer) ? state.outer.map(String) : [];
}

function textOfRange({ hours, from, to }: Range): string {
  const fields = Object.entries({ hours, from, to }).filter(([, value]) => value !== null);
  return new URLSearchParams(fields.map(([name, value]) => [name, String(value)])).toString();
}

/** Its begin and its end, ms, where now is the end of this minute; null for a range that is none. */
function momentsOf({ hours, from, to }: Range): [number, number] | null {
  const end = to === null ? Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS : Date.parse(to);
  const begin = from === null ? end - (hours ?? 24) * HOUR_MS : Date.parse(from);
  return begin < end ? [begin, end] : null;
}

/** Of a moment in ms, to the second. */
export function textOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
