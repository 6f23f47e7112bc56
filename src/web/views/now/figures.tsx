/** The figures, each beside the same hour of this weekday a week ago. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { call, type History } from "../../shared/api";
import { now } from "../../shared/clock";
import * as say from "../../shared/format";
import { active, endedTick } from "../../shared/live";
import { useLoaded } from "../../shared/loaded";
import { loadedModels } from "./models-loaded";

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
const WEEK_MS = 7 * 24 * HOUR_MS;

type Point = History["metrics"][number];

/** Requests of the last hour that ended in an error, for the sentence; null before it is known. */
export const errorsOfHour = signal<number | null>(null);

export function Figures() {
  const tick = endedTick.value;
  const minutes = useLoaded(
    (signal) => call("GET /api/stats/history", { query: { hours: 1, bucket: "1m" }, signal }),
    [tick],
    MINUTE_MS,
  );
  const quarters = useLoaded(
    (signal) => call("GET /api/stats/history", { query: { hours: 1, bucket: "15m" }, signal }),
    [tick],
    MINUTE_MS,
  );
  const weekAgo = useLoaded(
    (signal) => call("GET /api/stats/history", { query: { hours: 169, bucket: "15m" }, signal }),
    [],
    QUARTER_MS,
  );
  const models = useLoaded(
    (signal) => call("GET /api/models", { query: { hours: 1, limit: 3 }, signal }),
    [tick],
    MINUTE_MS,
  );
  const kept = useLoaded((signal) => call("GET /api/data/summary", { signal }), [], 5 * MINUTE_MS);

  const thisHour = minutes.value && within(minutes.value.metrics, now.value - HOUR_MS, now.value);
  const then = now.value - WEEK_MS;
  const thatHour = weekAgo.value && within(weekAgo.value.metrics, then - HOUR_MS, then);
  const errors = thisHour && errorsOf(thisHour);
  useEffect(() => {
    errorsOfHour.value = errors;
  }, [errors]);
  const ttft = quarters.value && lastTtft(quarters.value.metrics);
  const thatTtft = thatHour && lastTtft(thatHour);
  const oldest = active.value[0];
  const loaded = loadedModels.value ?? [];
  const memory = sumOf(loaded, (model) => model.size ?? 0);
  const onGpu = sumOf(loaded, (model) => model.size_vram ?? 0);
  const free = kept.value?.disk.free_bytes ?? null;

  return (
    <dl class="figures">
      <Figure
        name="In flight"
        value={say.count(active.value.length)}
        note={oldest ? `oldest ${say.duration(oldest.seconds * 1000)}` : "nothing waits"}
      />
      <Figure
        name="First token, p95"
        value={say.duration(ttft)}
        note={`15 min, ${lastWeek(then)} ${say.duration(thatTtft)}`}
      />
      <Figure
        name="Tokens/s"
        value={
          models.value && models.value.models.length > 0 ? (
            <ul class="speeds">
              {models.value.models.map((model) => (
                <li key={model.name}>
                  <b>{say.number(model.tokens_per_second)}</b> <span title={model.name}>{model.name}</span>
                </li>
              ))}
            </ul>
          ) : (
            say.unknown
          )
        }
        note={null}
      />
      <Figure
        name="Errors, 1 h"
        value={say.count(errors)}
        isBad={Boolean(errors)}
        note={`${lastWeek(then)} ${say.count(thatHour && errorsOf(thatHour))}`}
      />
      <Figure
        name="Memory of models"
        value={loadedModels.value ? say.bytes(memory) : say.unknown}
        note={memory > 0 ? `${say.percent(onGpu / memory)} on the GPU` : "none loaded"}
      />
      <Figure
        name={free === null ? "Kept" : "Disk left"}
        value={free === null ? say.bytes(kept.value && kept.value.database_size_mb * 1e6) : say.bytes(free)}
        note={
          free === null
            ? say.plural(kept.value?.total_logs_entries ?? 0, "request")
            : `${say.bytes(kept.value && kept.value.database_size_mb * 1e6)} kept`
        }
      />
    </dl>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly note: ComponentChildren;
  readonly isBad?: boolean;
}

function Figure({ name, value, note, isBad = false }: FigureProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isBad ? "value bad" : "value"}>{value}</dd>
      {note !== null && <dd class="muted">{note}</dd>}
    </div>
  );
}

/** "last Wed": the same hour a week ago. */
function lastWeek(then: number): string {
  return `last ${say.weekday.format(then)}`;
}

function within(points: readonly Point[], from: number, to: number): readonly Point[] {
  return points.filter(
    ({ timestamp }) => Date.parse(timestamp) >= from - QUARTER_MS && Date.parse(timestamp) <= to,
  );
}

function errorsOf(points: readonly Point[]): number {
  return sumOf(points, ({ errors }) => errors);
}

/** Of the latest point that has one. */
function lastTtft(points: readonly Point[]): number | null {
  return points.findLast((point) => point.percentiles.ttft_ms)?.percentiles.ttft_ms?.p95 ?? null;
}

function sumOf<T>(list: readonly T[], measure: (one: T) => number): number {
  return list.reduce((sum, one) => sum + measure(one), 0);
}
