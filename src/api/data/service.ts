import type { Database } from "../../database/database";
import { canonicalModel } from "../../engine/models";
import { failure, quote } from "../../errors";
import type { Disk, DiskUse } from "../../ledger/budget";
import type { Where } from "../../ledger/clear";
import { type Kept, readKept } from "../../ledger/read/kept";
import { readSummary } from "../../ledger/read/statistics";
import type { Keeping } from "../../ledger/retention";
import { readMoment } from "../common";
import { type ClearQuery, clearQuery, type DiskUseView } from "./model";

/** What is kept, since when, and the room that it takes. */
export async function summary(database: Database, disk: Disk, keeping: Keeping) {
  const kept = await readSummary(database);
  const { use, partitions } = await disk.look(new Date());
  const { requests, texts, metrics, events } = await readKept(database, partitions, keeping);
  return {
    total_requests: kept.requests,
    total_logs_entries: kept.logs,
    metric_points: kept.points,
    oldest_timestamp: kept.oldest?.toISOString() ?? null,
    newest_timestamp: kept.newest?.toISOString() ?? null,
    database_size_mb: Math.round(kept.bytes / 100_000) / 10,
    kept: {
      requests: sayKept({ ...requests, rows: kept.logs }),
      texts: sayKept(texts),
      metrics: sayKept({ ...metrics, rows: kept.points }),
      events: sayKept(events),
    },
    disk: sayDiskUse(use),
  };
}

function sayKept({ rows, bytes, since, until }: Kept) {
  return { rows, bytes, since: since?.toISOString() ?? null, until: until?.toISOString() ?? null };
}

/** The room that the records take, in the API's words. */
export function sayDiskUse(use: DiskUse): DiskUseView {
  return {
    budget_bytes: use.budgetBytes,
    used_bytes: use.usedBytes,
    database_bytes: use.databaseBytes,
    spool_bytes: use.spoolBytes,
    engine_log_bytes: use.engineLogBytes,
    free_bytes: use.freeBytes,
    bytes_a_day: use.bytesADay === null ? null : Math.round(use.bytesADay),
    full_at: use.fullAt?.toISOString() ?? null,
    texts_since: use.textsSince?.toISOString() ?? null,
    requests_since: use.requestsSince?.toISOString() ?? null,
  };
}

/** @throws Failure 400 for a word that narrows nothing, or is there twice: more would be deleted than was meant */
export function refuseOddWords(url: string): void {
  const known = Object.keys(clearQuery.properties);
  const names = [...new URL(url).searchParams.keys()];
  const odd = names.find((name, at) => !known.includes(name) || names.indexOf(name) !== at);
  if (odd !== undefined)
    throw failure.invalid(`${quote(odd)} is not understood here: it takes ${known.join(" and ")}, each once`);
}

/** What a deletion is narrowed to. @throws Failure 400 for a time that is none */
export function readWhere({ before, model }: ClearQuery): Where {
  const at = before === undefined ? null : readTime(before);
  return { before: at, model: model === undefined ? null : canonicalModel(model) };
}

/** @throws Failure 400 */
function readTime(text: string): Date {
  const time = readMoment(text);
  // A day alone is one moment here and another there.
  if (time === null || !/^\d{4}-\d\d-\d\dT.+(Z|[+-]\d\d:\d\d)$/i.test(text))
    throw failure.invalid(`before is ${quote(text)}: it takes a time such as 2026-11-01T00:00:00Z`);
  return time;
}

/** Such as "Request logs before 2026-11-01T00:00:00.000Z of llama3.2 cleared". */
export function sayCleared(what: string, { before, model }: Where): string {
  if (before === null && model === null) return `All ${what} cleared`;
  const narrowed = [
    ...(before === null ? [] : [` before ${before.toISOString()}`]),
    ...(model === null ? [] : [` of ${model}`]),
  ];
  return `${what.slice(0, 1).toUpperCase()}${what.slice(1)}${narrowed.join("")} cleared`;
}
