/** The five charts: one range, one cursor. */
import { hrefOf } from "../../shared/address";
import { Chart } from "../../shared/chart";
import * as say from "../../shared/format";
import { outcomeWords } from "../../shared/outcomes";
import {
  type Figures,
  groupOf,
  type PercentileName,
  type Point,
  percentileNames,
  percentilesOf,
  stepMsOf,
} from "./figures";
import { between, narrow, textOf } from "./range";

/** As many as there are colours. */
export const MOST_LINES = 6;

/** Outcomes that are errors. */
const errorOutcomes = [
  "engine_error",
  "engine_crash",
  "timeout",
  "rejected",
  "server_stop",
  "server_crash",
] as const;

interface Series {
  readonly name: string;
  /** One a time of the range. */
  readonly points: readonly (Point | undefined)[];
}

export function Charts({
  figures,
  percentile,
}: {
  readonly figures: Figures;
  readonly percentile: PercentileName;
}) {
  const { all, asked } = figures;
  const stepMs = stepMsOf(all);
  const starts = all.metrics.map(({ timestamp }) => Date.parse(timestamp));
  const { model, operation, server } = asked;
  const shared = {
    times: starts.map((at) => at / 1000),
    sync: "history",
    onRange: (from: Date, to: Date) => {
      const floor = (at: Date) => Math.floor(at.getTime() / stepMs) * stepMs;
      narrow(between(floor(from), floor(to) + stepMs));
    },
    hrefAt: (at: Date) =>
      hrefOf("requests", {
        from: textOf(at.getTime()),
        to: textOf(at.getTime() + stepMs),
        ...{ model, operation, server },
      }),
  };
  const series = seriesOf(figures);
  const linesOf = (name: string, value: (point: Point | undefined) => number | null) =>
    series.length > 0
      ? series.map((one) => ({ name: one.name, values: one.points.map(value) }))
      : [{ name, values: all.metrics.map(value) }];
  const percentilesOfMeasure = (measure: keyof Point["percentiles"]) =>
    series.length > 0
      ? linesOf("", (point) => point?.percentiles[measure]?.[percentile] ?? null)
      : percentileNames.map((name) => ({
          name,
          values: all.metrics.map((point) => point.percentiles[measure]?.[name] ?? null),
        }));
  const whose = percentilesOf(figures);
  const titleOf = (measure: string) =>
    `${measure}${whose === null ? "" : ` of ${whose}`}${series.length > 0 ? `, ${percentile}` : ""}`;
  const errors = series.length > 0 ? linesOf("", (point) => point?.errors ?? 0) : errorKinds(all.metrics);
  return (
    <>
      <Chart
        {...shared}
        title="Requests per minute"
        format={say.number}
        lines={linesOf("Requests/min", (point) => point?.requests_per_minute ?? 0)}
      />
      <Chart
        {...shared}
        title="Tokens/s while writing"
        format={say.number}
        lines={linesOf("Tokens/s", (point) => point?.tokens_per_second ?? null)}
      />
      <Chart
        {...shared}
        title={titleOf("Time to first token")}
        format={say.duration}
        lines={percentilesOfMeasure("ttft_ms")}
      />
      <Chart
        {...shared}
        title={titleOf("Latency")}
        format={say.duration}
        lines={percentilesOfMeasure("latency_ms")}
      />
      {errors.length > 0 && figures.summary.total.errors > 0 ? (
        <Chart
          {...shared}
          title={series.length > 0 ? "Errors" : "Errors by kind"}
          format={whole}
          lines={errors}
        />
      ) : (
        <figure class="chart none">
          <figcaption>Errors</figcaption>
          <p class="muted">None in this range.</p>
        </figure>
      )}
    </>
  );
}

/** The most used groups, each with a point or none at every time; empty where figures are not apart. */
function seriesOf({ all, apart, summary }: Figures): Series[] {
  if (!apart) return [];
  const byGroup = Map.groupBy(apart.metrics, groupOf);
  return summary.groups.slice(0, MOST_LINES).map((group) => {
    const name = groupOf(group);
    const found = new Map(byGroup.get(name)?.map((point) => [point.timestamp, point]));
    return { name, points: all.metrics.map(({ timestamp }) => found.get(timestamp)) };
  });
}

/** On an axis there are marks in between, which count nothing. */
function whole(value: number | null): string {
  return value === null || Number.isInteger(value) ? say.count(value) : "";
}

/** A line for each kind that there was; errors of which a version before did not count the kinds are one. */
function errorKinds(points: readonly Point[]) {
  const counted = errorOutcomes.map((kind) => ({
    name: outcomeWords[kind],
    values: points.map(({ outcomes }) => outcomes[kind] ?? 0),
  }));
  const others = points.map(({ errors }, at) =>
    counted.reduce((rest, { values }) => rest - (values[at] ?? 0), errors),
  );
  return [...counted, { name: "Of unknown kind", values: others }].filter(({ values }) =>
    values.some((value) => value > 0),
  );
}
