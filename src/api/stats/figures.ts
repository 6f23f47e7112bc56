/** Figures over time and of a range as a whole: what a query asks for, and its answer. */
import type { Database } from "../../database/database";
import { canonicalModel } from "../../engine/models";
import { failure } from "../../errors";
import { usualOperation, type Whose } from "../../ledger/read/figures";
import { bucketFor, buckets, type Range, readHistory } from "../../ledger/read/history";
import { readFigures } from "../../ledger/read/summary";
import { momentOf } from "../common";
import type { History, HistoryQuery, Summary, SummaryQuery } from "./figures-model";

/** A day of minutes, and more than a screen shows. */
const MOST_POINTS = 1500;

/** @throws Failure 400 for a range that is none, or of too many points */
export async function history(database: Database, asked: HistoryQuery): Promise<History> {
  const range = rangeOf(asked, new Date());
  const { bucket = bucketFor(range), fill = false } = asked;
  const points = Math.ceil((range.to.getTime() - range.from.getTime()) / buckets[bucket]);
  // No more days are answered than there are, unless those without requests are asked for.
  if (points > MOST_POINTS && (fill || bucket !== "1d")) {
    throw failure.invalid(
      `bucket is "${bucket}": that is ${points} points from ${range.from.toISOString()} to ${range.to.toISOString()}; it takes a longer bucket, or a shorter range, for at most ${MOST_POINTS}`,
    );
  }
  const whose = whoseOf(asked);
  const metrics = await readHistory(database, { ...range, ...whose, bucket, fill });
  return { metrics, bucket, percentiles_of: percentilesOf(whose) };
}

/** @throws Failure 400 for a range that is none */
export async function summary(database: Database, asked: SummaryQuery): Promise<Summary> {
  const whose = whoseOf(asked);
  const figures = await readFigures(database, { ...rangeOf(asked, new Date()), ...whose });
  return { ...figures, percentiles_of: percentilesOf(whose) };
}

function rangeOf({ hours, from, to }: SummaryQuery, now: Date): Range {
  if (from !== undefined && hours !== undefined)
    throw failure.invalid(`hours is ${hours} beside from, which is "${from}": it takes one of them`);
  // What is yet to come has no figures.
  const end = Math.min(to === undefined ? now.getTime() : momentOf("to", to, 0).getTime(), now.getTime());
  const begin =
    from === undefined ? Math.max(end - (hours ?? 24) * 3_600_000, 0) : momentOf("from", from, 0).getTime();
  if (begin >= end) {
    throw failure.invalid(
      from === undefined
        ? `to is "${to}": it takes a time after 1970-01-01T00:00:00Z`
        : `from is "${from}": it takes a time before ${new Date(end).toISOString()}`,
    );
  }
  return { from: new Date(begin), to: new Date(end), now };
}

function whoseOf({ model, operation, server, group_by }: SummaryQuery): Whose {
  return {
    model: model === undefined ? undefined : canonicalModel(model),
    operation,
    server,
    groupBy: group_by,
  };
}

function percentilesOf({ operation, groupBy }: Whose) {
  return operation ?? (groupBy === "operation" ? null : usualOperation);
}
