/** The space of rows that were deleted: back at once where that is worth it and nobody is in the way. */
import type { Database, Sql } from "../database/database";
import { messageOf } from "../errors";
import type { Log } from "../log";

const REWRITE_WITHIN_MS = 600_000;
/** How long others who are at work are waited for: a record is stored in a moment, a backup takes its time. */
const OTHERS_WITHIN_MS = 5000;
/** Where less than a tenth is gone, what comes next fills it; a table this big would be locked for too long. */
const WORTH_REWRITING = 0.1;
const MOST_REWRITTEN_BYTES = 2e9;

/** Writes tables anew, of which so many rows are gone. Never throws: what should be gone is gone. */
export async function giveBack(
  database: Database,
  gone: ReadonlyMap<string, number>,
  log: Log,
): Promise<void> {
  const tables = [...gone].filter(([, rows]) => rows > 0);
  if (tables.length === 0) return;
  try {
    if (!(await othersEnded(database))) {
      // A table written anew would carry over what they may look at; and waiting for it, all who read it would wait, too.
      log.warn(
        { tables: tables.map(([table]) => table) },
        "rows are deleted, and their space could not be given back, for somebody else is long at work on the database: what comes next fills it",
      );
      return;
    }
  } catch (error) {
    log.warn({ error: messageOf(error) }, "who else is at work on the database can't be told");
  }
  for (const [table, rows] of tables) await writeAnew(database, table, rows, log);
}

/**
 * Waits for transactions that began before the deletion ended, if not for long: rows that they may still look at would
 * be carried over, and some record is often just being stored. Of those that write, another database's count, too.
 * @returns whether they have ended
 */
async function othersEnded(database: Database): Promise<boolean> {
  const [now] = await database.query(
    (sql) => sql<{ next: string }[]>`select pg_snapshot_xmax(pg_current_snapshot())::text as next`,
    OTHERS_WITHIN_MS,
  );
  const next = now?.next ?? "";
  const until = performance.now() + OTHERS_WITHIN_MS;
  for (;;) {
    const [found] = await database.query(
      (sql) => sql<{ older: boolean }[]>`
        select pg_snapshot_xmin(pg_current_snapshot()) < ${next}::text::xid8 or exists (
          select from pg_stat_activity where datname = current_database()
            and age(backend_xmin) > age(${next}::text::xid8::xid) and pid <> pg_backend_pid()) as older`,
      OTHERS_WITHIN_MS,
    );
    if (!found?.older) return true;
    if (performance.now() > until) return false;
    await Bun.sleep(20);
  }
}

async function writeAnew(database: Database, table: string, gone: number, log: Log): Promise<void> {
  try {
    await database.query(async (sql) => {
      // For this connection, since a vacuum can't be in a transaction.
      await sql`select set_config('lock_timeout', '5s', false)`;
      try {
        const [size] = await sql<
          { bytes: number }[]
        >`select pg_total_relation_size(${table})::float8 as bytes`;
        const left = await countRows(sql, table);
        const share = gone / (gone + left);
        const isRewritten =
          share >= WORTH_REWRITING && (size?.bytes ?? 0) * (1 - share) <= MOST_REWRITTEN_BYTES;
        await sql.unsafe(`vacuum (analyze${isRewritten ? ", full" : ""}) ${table}`);
      } finally {
        await sql`reset lock_timeout`;
      }
    }, REWRITE_WITHIN_MS);
  } catch (error) {
    log.warn(
      { table, error: messageOf(error) },
      "rows are deleted, and their space could not be given back: what comes next fills it",
    );
  }
}

export async function countRows(sql: Sql, table: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::float8 as count from ${sql(table)}`;
  return row?.count ?? 0;
}
