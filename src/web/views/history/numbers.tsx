/** What the charts show, in numbers: each step, or the whole range; and as a file. */
import { useState } from "preact/hooks";
import { filters, hrefOf, setFilters } from "../../shared/address";
import type { Summary } from "../../shared/api";
import * as say from "../../shared/format";
import { Panel, Time } from "../../shared/parts";
import { type Column, Table } from "../../shared/table";
import { csvOf, save } from "./csv";
import { type Figures, groupOf, type Point, percentileNames, sayStep, stepMsOf } from "./figures";
import { textOf } from "./range";

/** Rows that are shown at once: more take longer to draw than to read. */
const SHOWN_ROWS = 50;

interface Row {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  /** Null for everything together. */
  readonly group: string | null;
  readonly figures: Point | Summary["total"];
}

interface Field {
  /** In a file: the API's word. */
  readonly name: string;
  readonly title: string;
  readonly value: (row: Row) => number | null;
  readonly format: (value: number | null) => string;
  readonly isMinor?: boolean;
}

const fields: readonly Field[] = [
  { name: "requests", title: "Requests", value: ({ figures }) => figures.requests, format: say.count },
  { name: "requests_per_minute", title: "Requests/min", value: perMinute, format: say.number, isMinor: true },
  {
    name: "tokens_in",
    title: "Tokens in",
    value: ({ figures }) => figures.tokens_in,
    format: say.count,
    isMinor: true,
  },
  {
    name: "tokens_out",
    title: "Tokens out",
    value: ({ figures }) => figures.tokens_out,
    format: say.count,
    isMinor: true,
  },
  {
    name: "tokens_per_second",
    title: "Tokens/s",
    value: ({ figures }) => figures.tokens_per_second,
    format: say.number,
    isMinor: true,
  },
  ...percentileFields("ttft_ms", "First token"),
  ...percentileFields("latency_ms", "Latency"),
  { name: "errors", title: "Errors", value: ({ figures }) => figures.errors, format: say.count },
  {
    name: "aborts",
    title: "Aborted",
    value: ({ figures }) => figures.aborts,
    format: say.count,
    isMinor: true,
  },
];

const groupTitles: Readonly<Record<string, string>> = {
  model: "Model",
  operation: "Kind of work",
  server: "Server",
};

function percentileFields(measure: keyof Point["percentiles"], title: string): Field[] {
  return percentileNames.map((percentile) => ({
    name: measure.replace("_ms", `_${percentile}_ms`),
    title: `${title} ${percentile}`,
    value: ({ figures }) => figures.percentiles[measure]?.[percentile] ?? null,
    format: say.duration,
    isMinor: measure !== "ttft_ms" || percentile !== "p95",
  }));
}

function perMinute({ figures, from, to }: Row): number {
  if ("requests_per_minute" in figures) return figures.requests_per_minute;
  return (figures.requests * 60_000) / (Date.parse(to) - Date.parse(from));
}

export function Numbers({ figures }: { readonly figures: Figures }) {
  const [isAll, setAll] = useState(false);
  const isTotals = filters.value.get("table") === "totals";
  const rows = isTotals ? totals(figures) : steps(figures);
  const shown = isAll ? rows : rows.slice(0, SHOWN_ROWS);
  const { group_by } = figures.asked;
  const columns: Column<Row>[] = [
    ...(isTotals
      ? []
      : [{ title: "Time", cell: ({ from, to }: Row) => <Step from={from} to={to} figures={figures} /> }]),
    ...(group_by === null && !isTotals
      ? []
      : [{ title: groupTitles[group_by ?? ""] ?? "Of", cell: ({ group }: Row) => group ?? "all together" }]),
    ...fields.map(({ title, value, format, isMinor = false }) => ({
      title,
      cell: (row: Row) => format(value(row)),
      isNumber: true,
      isMinor,
    })),
  ];
  return (
    <Panel
      title="In numbers"
      class="numbers"
      note={isTotals ? "the whole range" : `steps of ${sayStep(figures.all)} with requests, the latest first`}
      actions={
        <>
          <button
            type="button"
            class="button small"
            aria-pressed={!isTotals}
            onClick={() => setFilters({ table: null })}
          >
            Steps
          </button>
          <button
            type="button"
            class="button small"
            aria-pressed={isTotals}
            onClick={() => setFilters({ table: "totals" })}
          >
            Totals
          </button>
          <button type="button" class="button small" onClick={() => download(figures, rows, isTotals)}>
            Save as CSV
          </button>
        </>
      }
    >
      <Table caption="The figures in numbers" columns={columns} rows={shown} keyOf={({ key }) => key} />
      {rows.length > shown.length && (
        <p class="panel-line more">
          <button type="button" class="button small" onClick={() => setAll(true)}>
            Show all {say.count(rows.length)} rows
          </button>
        </p>
      )}
    </Panel>
  );
}

/** A step's begin, and the way to its requests. */
function Step({
  from,
  to,
  figures,
}: {
  readonly from: string;
  readonly to: string;
  readonly figures: Figures;
}) {
  const { model, operation, server } = figures.asked;
  return (
    <a href={hrefOf("requests", { from, to, model, operation, server })}>
      <Time at={from} />
    </a>
  );
}

function steps(figures: Figures): Row[] {
  const stepMs = stepMsOf(figures.all);
  const points = (figures.apart ?? figures.all).metrics.filter(({ requests }) => requests > 0);
  return points.toReversed().map((point) => {
    const group = figures.apart ? groupOf(point) : null;
    const begin = Date.parse(point.timestamp);
    return {
      key: `${point.timestamp} ${group}`,
      from: textOf(begin),
      to: textOf(begin + stepMs),
      group,
      figures: point,
    };
  });
}

function totals({ summary }: Figures): Row[] {
  const { from, to, total, groups } = summary;
  return [
    ...groups.map((group) => ({ key: groupOf(group), from, to, group: groupOf(group), figures: group })),
    { key: "", from, to, group: null, figures: total },
  ];
}

function download({ asked }: Figures, rows: readonly Row[], isTotals: boolean): void {
  const { group_by } = asked;
  const head = ["from", "to", ...(group_by === null ? [] : [group_by]), ...fields.map(({ name }) => name)];
  const lines = rows.map((row) => [
    row.from,
    row.to,
    ...(group_by === null ? [] : [row.group]),
    ...fields.map(({ value }) => value(row)),
  ]);
  const [last = ""] = rows.map(({ to }) => to.replaceAll(":", "-"));
  save(`corral-history-${isTotals ? "totals" : "steps"}-${last}.csv`, csvOf(head, lines));
}
