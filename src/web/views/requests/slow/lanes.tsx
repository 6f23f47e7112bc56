/** Requests as bars of their phases, one under the other, on one axis of time. */

import type { ComponentChildren } from "preact";
import type { Entry } from "../../../shared/api";
import * as say from "../../../shared/format";
import { type Span, type SpanName, spanNames, spansOf, spanWords } from "../request/spans";
import { hrefOfTable } from "./address";
import { startOf, type Usual, usualKey } from "./entries";
import type { Mark } from "./marks";

/** ms since 1970. */
export interface Axis {
  readonly from: number;
  readonly to: number;
}

const percent = (axis: Axis, ms: number) => (100 * ms) / (axis.to - axis.from);

/** Where something stands on the axis; what sticks out is cut off. */
function placeOn(axis: Axis, from: number, to: number) {
  const [begin, end] = [Math.max(from, axis.from), Math.min(Math.max(to, from), axis.to)];
  return {
    left: `${percent(axis, begin - axis.from)}%`,
    width: `${percent(axis, Math.max(end - begin, 0))}%`,
  };
}

const STEPS_MS = [
  100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000,
  1_800_000, 3_600_000, 7_200_000, 14_400_000, 43_200_000, 86_400_000,
];
const MOST_TICKS = 7;

export function Ticks({ axis }: { readonly axis: Axis }) {
  const length = axis.to - axis.from;
  const step = STEPS_MS.find((ms) => length / ms <= MOST_TICKS) ?? length;
  const ticks: number[] = [];
  for (let at = Math.ceil(axis.from / step) * step; at < axis.to; at += step) ticks.push(at);
  return (
    <div class="lane ticks" aria-hidden="true">
      <span class="track">
        {ticks.map((at) => (
          <span key={at} style={{ left: `${percent(axis, at - axis.from)}%` }}>
            {tickWords(at, step)}
          </span>
        ))}
      </span>
    </div>
  );
}

function tickWords(at: number, step: number): string {
  const tenths = step < 1000 ? `.${Math.floor((at % 1000) / 100)}` : "";
  return `${say.clockTime(new Date(at), step < 60_000)}${tenths}`;
}

export function Legend({ entries }: { readonly entries: readonly Entry[] }) {
  const seen = new Set(entries.flatMap(spansOf).map(({ name }) => name));
  return (
    <ul class="legend">
      {spanNames
        .filter((name) => seen.has(name))
        .map((name) => (
          <li key={name}>
            <i class={`span ${name}`} aria-hidden="true" />
            {spanWords[name]}
          </li>
        ))}
      <li>
        <i class="usual" aria-hidden="true" />
        The model’s usual: p50, to the first piece and in all
      </li>
    </ul>
  );
}

interface TheirsProps {
  readonly axis: Axis;
  readonly entries: readonly Entry[];
  readonly usual: ReadonlyMap<string, Usual>;
  readonly chosen: string | null;
  readonly choose: (id: string) => void;
}

/** Theirs: each beside what is usual, and to be chosen. */
export function Theirs({ axis, entries, usual, chosen, choose }: TheirsProps) {
  return (
    <ol class="lanes">
      {entries.map((entry) => (
        <Lane key={entry.id} axis={axis} entry={entry} isChosen={entry.id === chosen} name={entry.model}>
          <button
            type="button"
            class="track"
            aria-pressed={entry.id === chosen}
            aria-label={`Why ${entry.model} took ${say.duration(entry.latency_ms)}: ${spanList(entry)}`}
            onClick={() => choose(entry.id)}
          >
            <Bars axis={axis} entry={entry} />
            <UsualBar axis={axis} entry={entry} usual={usual.get(usualKey(entry))} />
          </button>
        </Lane>
      ))}
    </ol>
  );
}

/** Everybody else's. */
export function Others({ axis, entries }: { readonly axis: Axis; readonly entries: readonly Entry[] }) {
  return (
    <ol class="lanes">
      {entries.map((entry) => (
        <Lane
          key={entry.id}
          axis={axis}
          entry={entry}
          isChosen={false}
          name={`${entry.user ?? entry.client_ip ?? "unknown"}, ${entry.model}`}
        >
          <span class="track" title={spanList(entry)}>
            <Bars axis={axis} entry={entry} />
          </span>
        </Lane>
      ))}
    </ol>
  );
}

interface LaneProps {
  readonly axis: Axis;
  readonly entry: Entry;
  readonly isChosen: boolean;
  readonly name: string | null;
  readonly children: ComponentChildren;
}

function Lane({ entry, isChosen, name, children }: LaneProps) {
  const at = new Date(entry.timestamp);
  return (
    <li class={isChosen ? "lane chosen" : "lane"}>
      <a class="lane-name" href={hrefOfTable(entry.id)} title={say.utc(at)}>
        <span class="muted">{say.clockTime(at, true)}</span> {name ?? "no model"}
        {entry.operation !== "chat" && <span class="muted"> {entry.operation}</span>}
      </a>
      {children}
      <span class="lane-time">
        {entry.status !== "success" && <span class="bad">{entry.status} </span>}
        {say.duration(entry.latency_ms)}
      </span>
    </li>
  );
}

function Bars({ axis, entry }: { readonly axis: Axis; readonly entry: Entry }) {
  const start = startOf(entry);
  const bar = (name: SpanName | "whole", from: number, to: number) => (
    <i key={name} class={`span ${name}`} style={placeOn(axis, start + from, start + to)} />
  );
  return (
    <>
      {bar("whole", 0, entry.latency_ms)}
      {spansOf(entry).map(({ name, from, to }: Span) => bar(name, from, to))}
    </>
  );
}

function UsualBar({ axis, entry, usual }: { axis: Axis; entry: Entry; usual: Usual | undefined }) {
  const whole = usual?.percentiles.latency_ms?.p50;
  const first = usual?.percentiles.ttft_ms?.p50;
  if (whole === undefined) return null;
  const start = startOf(entry);
  return (
    <>
      <i class="usual" style={placeOn(axis, start, start + whole)} />
      {entry.stream && first !== undefined && (
        <i class="usual first-piece" style={placeOn(axis, start, start + first)} />
      )}
    </>
  );
}

function spanList(entry: Entry): string {
  return spansOf(entry)
    .map(({ name, ms }) => `${spanWords[name]} ${say.duration(ms)}`)
    .join(", ");
}

/** What else happened, on the same axis and in words. */
export function Marks({ axis, marks }: { readonly axis: Axis; readonly marks: readonly Mark[] }) {
  if (marks.length === 0) return null;
  return (
    <>
      <div class="lane marks" aria-hidden="true">
        <span class="lane-name muted">Models and Ollama</span>
        <span class="track">
          {marks.map((mark, at) => (
            <i
              key={at}
              class={`mark ${mark.kind}`}
              style={placeOn(axis, mark.from, mark.to)}
              title={mark.words}
            />
          ))}
        </span>
      </div>
      <ul class="mark-words">
        {marks.map(({ kind, from, words }, at) => (
          <li key={at}>
            <i class={`mark ${kind}`} aria-hidden="true" />
            <time dateTime={new Date(from).toISOString()}>{say.clockTime(new Date(from), true)}</time> {words}
          </li>
        ))}
      </ul>
    </>
  );
}
