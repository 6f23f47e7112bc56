/** Forgetting by age: texts first, then request rows and events, then metrics, each at its own speed. */
import type { Database } from "../database/database";
import { FOREVER_MS } from "../duration";
import { messageOf } from "../errors";
import type { Log } from "../log";
import { partitionsBefore } from "./partitions";

/** How long each is kept, in milliseconds; FOREVER_MS is for ever. */
export interface Keeping {
  readonly contentMs: number;
  readonly requestsMs: number;
  readonly metricsMs: number;
}

/** Minute rows are for looking closely at what is recent. */
export const MINUTES_KEPT_MS = 14 * 86_400_000;
const EVERY_MS = 3_600_000;

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

/** Drops what is older than it may be. */
export async function forget(database: Database, keeping: Keeping, now: Date, log: Log): Promise<void> {
  await database.alone("retention", async (sql) => {
    for (const [table, ageMs] of [
      ["contents", keeping.contentMs],
      ["requests", keeping.requestsMs],
    ] as const) {
      if (ageMs >= FOREVER_MS) continue;
      for (const name of await partitionsBefore(sql, table, new Date(now.getTime() - ageMs))) {
        await sql.unsafe(`drop table ${name}`);
        log.info({ partition: name }, "forgotten by age");
      }
    }
    if (keeping.requestsMs < FOREVER_MS) {
      const before = new Date(now.getTime() - keeping.requestsMs).toISOString();
      await sql`delete from events where at < ${before}`;
    }
    const minutes = new Date(now.getTime() - Math.min(MINUTES_KEPT_MS, keeping.metricsMs)).toISOString();
    await sql`delete from metrics where step = 'minute' and time < ${minutes}`;
    await sql`delete from histograms where step = 'minute' and time < ${minutes}`;
    if (keeping.metricsMs >= FOREVER_MS) return;
    const all = new Date(now.getTime() - keeping.metricsMs).toISOString();
    await sql`delete from metrics where time < ${all}`;
    await sql`delete from histograms where time < ${all}`;
  });
}
