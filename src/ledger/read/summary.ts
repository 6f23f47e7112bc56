/** Figures of a range of time as a whole. */
import type { Database, Sql } from "../../database/database";
import { type Measure, measures, ofEach, percentileReader } from "../histograms";
import { sums as names, noSums, type Step, type Sums, stepMs, steps } from "../metrics";
import {
  type Group,
  groupColumn,
  type Span,
  sayFigures,
  sayGroup,
  sumColumns,
  usualOperation,
  type Whose,
  wanted,
  wantedHistograms,
} from "./figures";
import { isOfMinutes, type Range } from "./history";

const DEADLINE_MS = 10_000;

export interface RangeFigures {
  /** The range that the figures are of: the asked one, with the whole of the steps that it begins and ends in. */
  readonly from: string;
  readonly to: string;
  readonly total: Figures;
  /** Most used first; empty where they are not apart. */
  readonly groups: (Group & Figures)[];
}
type Figures = ReturnType<typeof sayAll>;

type Histograms = Readonly<Record<Measure, Uint8Array | null>>;
interface SumsRow extends Sums {
  readonly group_name: string;
  readonly last_used: Date | null;
}
interface HistogramsRow extends Histograms {
  readonly group_name: string;
}

/** Figures of a range as one: from a few dozen rows a model, however long it is. */
export async function readFigures(database: Database, query: Range & Whose): Promise<RangeFigures> {
  const finest = isOfMinutes(query) ? "minute" : "quarter_hour";
  const size = stepMs[finest];
  const from = Math.floor(query.from.getTime() / size) * size;
  const to = Math.ceil(query.to.getTime() / size) * size;
  const spans = spansOf(from, to, finest);
  const [sums, histograms] = await database.query(
    async (sql) => [await readSums(sql, spans, query), await readHistograms(sql, spans, query)] as const,
    DEADLINE_MS,
  );
  const percentilesOf = percentileReader();
  const measured = new Map(histograms.map((row) => [row.group_name, row]));
  // Not even a total has percentiles of several operations.
  const alike = histograms.filter(
    (row) => query.groupBy !== "operation" || row.group_name === (query.operation ?? usualOperation),
  );
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    total: sayAll(percentilesOf, addSums(sums), addHistograms(alike)),
    groups:
      query.groupBy === undefined
        ? []
        : sums.map((row) => ({
            ...sayGroup(query, row.group_name),
            ...sayAll(percentilesOf, row, measured.get(row.group_name)),
          })),
  };
}

/** A range as whole days, with hours, quarters and minutes at its ends. @param from, to of the finest step's own */
export function spansOf(from: number, to: number, finest: Step): Span[] {
  const sizes = steps.slice(steps.indexOf(finest)).toReversed();
  const split = (begin: number, end: number, [step, ...finer]: readonly Step[]): Span[] => {
    if (begin >= end || step === undefined) return [];
    const first = Math.ceil(begin / stepMs[step]) * stepMs[step];
    const last = Math.floor(end / stepMs[step]) * stepMs[step];
    if (first >= last) return split(begin, end, finer);
    const whole = { step, from: new Date(first), to: new Date(last) };
    return [...split(begin, first, finer), whole, ...split(last, end, finer)];
  };
  return split(from, to, sizes);
}

function readSums(sql: Sql, spans: readonly Span[], query: Whose) {
  return sql<SumsRow[]>`
    select ${groupColumn(sql, query)}, ${sumColumns(sql)}, max(last_used) as last_used
    from metrics where ${wanted(sql, spans, query)} group by 1 order by requests desc, 1`;
}

function readHistograms(sql: Sql, spans: readonly Span[], query: Whose) {
  const columns = measures.map((measure) => sql`, string_agg(${sql(measure)}, '') as ${sql(measure)}`);
  return sql<HistogramsRow[]>`
    select ${groupColumn(sql, query)} ${columns}
    from histograms where ${wantedHistograms(sql, spans, query)} group by 1`;
}

function addSums(rows: readonly SumsRow[]): Omit<SumsRow, "group_name"> {
  const total = noSums();
  for (const row of rows) for (const name of names) total[name] += row[name];
  const used = rows.flatMap((row) => row.last_used ?? []);
  return { ...total, last_used: used.reduce<Date | null>((a, b) => (a && a > b ? a : b), null) };
}

function addHistograms(rows: readonly Histograms[]): Histograms {
  return ofEach((measure) => Buffer.concat(rows.flatMap((row) => row[measure] ?? [])));
}

function sayAll(
  percentilesOf: ReturnType<typeof percentileReader>,
  row: Omit<SumsRow, "group_name">,
  measured?: Histograms,
) {
  return {
    ...sayFigures(row),
    percentiles: ofEach((measure) => percentilesOf(measured?.[measure])),
    last_used: row.last_used?.toISOString() ?? null,
  };
}
