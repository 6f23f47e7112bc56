/** Forgetting by age: texts first, then request rows and events, then metrics, each at its own speed. */
import type { Database, Sql } from "../database/database";
import { FOREVER_MS } from "../duration";
import { messageOf } from "../errors";
import type { Log } from "../log";
import { deleteMetrics } from "./clear";
import { steps } from "./metrics";
import {
  dropPartition,
  type Partition,
  type Partitioned,
  partitionAt,
  readPartitions,
  waitBriefly,
} from "./partitions";

/** How long each is kept, in milliseconds; FOREVER_MS is for ever. */
export interface Keeping {
  readonly contentMs: number;
  readonly requestsMs: number;
  readonly metricsMs: number;
}

/** How old what is kept gets, in milliseconds; FOREVER_MS is for ever. */
export function agesOf({ contentMs, requestsMs, metricsMs }: Keeping) {
  return {
    // Texts without their request are shown nowhere.
    contents: Math.min(contentMs, requestsMs),
    requests: requestsMs,
    events: requestsMs,
    metrics: metricsMs,
  };
}

/** Minute rows are for looking closely at what is recent. */
export const MINUTES_KEPT_MS = 14 * 86_400_000;
const EVERY_MS = 3_600_000;
const DEADLINE_MS = 60_000;
/**
 * A partition is noted this long before it goes. What is found to be too old all of a sudden waits as long: the clock may
 * be wrong now, or may have been when the records came.
 */
const NOTICE_MS = 86_400_000;
const NOTE = "to be forgotten, noted ";

/** Forgets now and once an hour. One server of several does it. */
export function startRetention(database: Database, keeping: Keeping, log: Log): { stop(): void } {
  const once = async () => {
    if (database.state !== "up") return;
    try {
      await forget(database, keeping, new Date(), log);
    } catch (error) {
      log.warn({ error: messageOf(error) }, "old records could not be forgotten: tried again in an hour");
    }
  };
  database.onChange(() => void once());
  const timer = setInterval(once, EVERY_MS);
  void once();
  return { stop: () => clearInterval(timer) };
}

/** Drops what is older than it may be, and has been noted as such a day ago. */
export async function forget(database: Database, keeping: Keeping, now: Date, log: Log): Promise<void> {
  const ages = agesOf(keeping);
  for (let goesOn = true; goesOn; ) {
    goesOn = false;
    const isOurs = await database.alone("retention", async (sql) => {
      const dropped = await dropNext(sql, ages, now);
      if (dropped === null) return;
      log.info({ partition: dropped.name, bytes: dropped.bytes }, "forgotten by age");
      goesOn = true;
    });
    // Another server is at it.
    if (!isOurs) return;
  }
  if (ages.events < FOREVER_MS) {
    const before = new Date(now.getTime() - ages.events).toISOString();
    await database.transaction((sql) => sql`delete from events where at < ${before}`, DEADLINE_MS);
  }
  for (const step of steps) {
    const ageMs = step === "minute" ? Math.min(MINUTES_KEPT_MS, ages.metrics) : ages.metrics;
    if (ageMs >= FOREVER_MS) continue;
    await deleteMetrics(database, { before: new Date(now.getTime() - ageMs), model: null }, [step]);
  }
}

/** Notes what is to go soon, takes back the notes of what is not, and drops the first that is due. */
async function dropNext(
  sql: Sql,
  ages: Readonly<Record<Partitioned, number>>,
  now: Date,
): Promise<Partition | null> {
  await waitBriefly(sql);
  for (const partition of await readPartitions(sql)) {
    const ageMs = ages[partition.table];
    const isOlderThan = (ms: number) =>
      ageMs < FOREVER_MS && partition.from < partitionAt(partition.table, new Date(now.getTime() - ms)).from;
    const notedAt = partition.note?.startsWith(NOTE) ? Date.parse(partition.note.slice(NOTE.length)) : null;
    if (!isOlderThan(ageMs - NOTICE_MS)) {
      if (notedAt !== null) await sql.unsafe(`comment on table ${partition.name} is null`);
    } else if (notedAt === null || !(notedAt <= now.getTime())) {
      await sql.unsafe(`comment on table ${partition.name} is '${NOTE}${now.toISOString()}'`);
    } else if (isOlderThan(ageMs) && now.getTime() - notedAt >= NOTICE_MS) {
      await dropPartition(sql, partition);
      return partition;
    }
  }
  return null;
}
