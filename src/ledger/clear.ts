/**
 * Deleting on request. What goes whole is truncated; of the rest rows are deleted a slice at a time, each in a short
 * transaction, and the tables are written anew, so that the space is back when it is answered.
 */
import postgres from "postgres";
import type { Database, Sql } from "../database/database";
import { failure, messageOf } from "../errors";
import type { Log } from "../log";
import { type Step, stepMs, steps } from "./metrics";
import { type Partition, readPartitions, waitBriefly } from "./partitions";
import { storableModel } from "./texts";

/** What a deletion is narrowed to; null is for no limit. */
export interface Where {
  /** Exclusive. */
  readonly before: Date | null;
  /** Canonical name. */
  readonly model: string | null;
}

/** SQLSTATE of a lock that was not had in time. */
const LOCK_NOT_AVAILABLE = "55P03";
const ROWS_A_SLICE = 2000;
/** Rows of metrics are small. */
const METRICS_A_SLICE = 20_000;
const SLICE_WITHIN_MS = 60_000;
const REWRITE_WITHIN_MS = 600_000;
/** How long others who are at work are waited for: a record is stored in a moment, a backup takes its time. */
const OTHERS_WITHIN_MS = 5000;
/** Where less than a tenth is gone, what comes next fills it; a table this big would be locked for too long. */
const WORTH_REWRITING = 0.1;
const MOST_REWRITTEN_BYTES = 2e9;

/**
 * Deletes request rows that began before a moment, and their texts. One that ends while it runs may go, too.
 * @returns how many rows went
 * @throws Failure `database_away`; then a part of them is gone, and it can be asked again
 */
export async function clearLogs(database: Database, where: Where, log: Log): Promise<number> {
  const { before, model } = where;
  const partitions = (await database.query(readPartitions, SLICE_WITHIN_MS)).filter(
    ({ from }) => before === null || from < before,
  );
  const isWhole = ({ to }: Partition) => model === null && (before === null || to <= before);
  let logs = 0;
  // Texts first: should it break off, none is left that nothing shows.
  for (const partition of partitions) {
    if (!isWhole(partition)) continue;
    const rows = await emptyPartition(database, partition);
    if (partition.table === "requests") logs += rows;
  }
  const gone = new Map<string, number>();
  for (const partition of partitions) {
    if (partition.table !== "requests" || isWhole(partition)) continue;
    const rows = await deleteRows(database, partition, where, gone);
    logs += rows;
    if (rows > 0) log.info({ partition: partition.name, rows }, "deleted on request");
  }
  await giveBack(database, gone, log);
  return logs;
}

/**
 * How many rows a deletion would take, as things are now: request rows, and rows of metrics. A month, and a step, at a
 * time, so that writes get their turn.
 */
export async function countClearable(
  database: Database,
  where: Where,
): Promise<{ logs: number; metrics: number }> {
  const { before } = where;
  let logs = 0;
  for (const { table, from, to } of await database.query(readPartitions, SLICE_WITHIN_MS)) {
    if (table !== "requests" || (before !== null && from >= before)) continue;
    const [row] = await database.query(
      (sql) => sql<{ rows: number }[]>`
        select count(*)::float8 as rows from requests
        where started_at >= ${from.toISOString()} and started_at < ${to.toISOString()} ${ofRequests(sql, where)}`,
      SLICE_WITHIN_MS,
    );
    logs += row?.rows ?? 0;
  }
  let metrics = 0;
  for (const step of steps) {
    const [row] = await database.query(
      (sql) => sql<{ rows: number }[]>`
        select ((select count(*) from metrics where ${ofMetrics(sql, where, step)})
          + (select count(*) from histograms where ${ofMetrics(sql, where, step)}))::float8 as rows`,
      SLICE_WITHIN_MS,
    );
    metrics += row?.rows ?? 0;
  }
  return { logs, metrics };
}

/** What a deletion takes of request rows, beside what else is asked. */
function ofRequests(sql: Sql, { before, model }: Where) {
  return sql`
    ${before === null ? sql`` : sql`and started_at < ${before.toISOString()}`}
    ${model === null ? sql`` : sql`and model = ${storableModel(model)}`}`;
}

/** What a deletion takes of a step's rows of metrics or histograms: those that count nothing later. */
function ofMetrics(sql: Sql, { before, model }: Where, step: Step) {
  return sql`step = ${step}
    ${before === null ? sql`` : sql`and time <= ${before.toISOString()}::timestamptz - ${`${stepMs[step]} milliseconds`}::interval`}
    ${model === null ? sql`` : sql`and model = ${storableModel(model)}`}`;
}

/** Deletes all rows of metrics. @returns how many */
export async function clearMetrics(database: Database): Promise<number> {
  return alone(database, async (sql) => {
    await sql`lock table metrics, histograms in access exclusive mode`;
    const rows = await countMetricRows(sql);
    await sql`truncate metrics, histograms`;
    return rows;
  });
}

/**
 * Deletes rows of metrics and histograms that count nothing later than a moment: the minute, hour and day that it falls
 * into stay whole.
 * @returns how many
 */
export async function deleteMetrics(
  database: Database,
  where: Where,
  of: readonly Step[],
): Promise<ReadonlyMap<string, number>> {
  const gone = new Map<string, number>();
  for (const table of ["metrics", "histograms"] as const) {
    for (const step of of) {
      for (let last = METRICS_A_SLICE; last === METRICS_A_SLICE; ) {
        last = await database.transaction(async (sql) => {
          // In the writer's order: two who change the same rows, each in an order of its own, wait for one another.
          await sql`lock table metrics, histograms in share row exclusive mode`;
          const { count } = await sql`
            delete from ${sql(table)} where ctid = any(array(
              select ctid from ${sql(table)} where ${ofMetrics(sql, where, step)} limit ${METRICS_A_SLICE}))`;
          return count;
        }, SLICE_WITHIN_MS);
        gone.set(table, (gone.get(table) ?? 0) + last);
      }
    }
  }
  return gone;
}

/** The same, and gives their space back. */
export async function clearSomeMetrics(database: Database, where: Where, log: Log): Promise<number> {
  const gone = await deleteMetrics(database, where, steps);
  await giveBack(database, gone, log);
  return [...gone.values()].reduce((sum, rows) => sum + rows, 0);
}

/** Rows of metrics, of every step: the contract's metric points. */
export async function countMetricRows(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select ((select count(*) from metrics) + (select count(*) from histograms))::int as count`;
  return row?.count ?? 0;
}

/** Truncates it and leaves it there, since dropping it would hold up all who ask for any other. */
async function emptyPartition(database: Database, { name }: Partition): Promise<number> {
  return alone(database, async (sql) => {
    // What comes between counting and truncating would go uncounted.
    await sql.unsafe(`lock table ${name} in access exclusive mode`);
    const rows = await countRows(sql, name);
    await sql.unsafe(`truncate ${name}`);
    return rows;
  });
}

/** Does what nobody else may look on at. @throws Failure `conflict` where somebody does, and for long */
async function alone<T>(database: Database, work: (sql: Sql) => Promise<T>): Promise<T> {
  try {
    return await database.transaction(async (sql) => {
      await waitBriefly(sql);
      return work(sql);
    }, SLICE_WITHIN_MS);
  } catch (error) {
    if (!(error instanceof postgres.PostgresError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
    throw failure.conflict(
      "a backup or another long read of what is to be deleted is not over: ask again when it is",
    );
  }
}

/** @param gone how many rows went, by table; added to */
async function deleteRows(
  database: Database,
  { name }: Partition,
  where: Where,
  gone: Map<string, number>,
): Promise<number> {
  const count = (table: string, rows: number) => gone.set(table, (gone.get(table) ?? 0) + rows);
  let rows = 0;
  /** Where the last slice ended: what is gone is not looked through again. */
  let from: string | null = null;
  for (;;) {
    const slice = await database.transaction(async (sql) => {
      const [found] = await sql<{ ids: string[] | null; first: string; last: string }[]>`
        select array_agg(id) as ids, min(started_at)::text as first, max(started_at)::text as last from (
          select id, started_at from ${sql(name)} where true
            ${from === null ? sql`` : sql`and started_at >= ${from}::text::timestamptz`}
            ${ofRequests(sql, where)}
          order by started_at, id limit ${ROWS_A_SLICE}) as slice`;
      if (!found?.ids) return null;
      const { ids, first, last } = found;
      const texts = await sql<{ name: string; rows: number }[]>`
        with gone as (
          delete from contents where request_id = any(${ids}::uuid[])
            and started_at between ${first}::text::timestamptz and ${last}::text::timestamptz
          returning tableoid::regclass::text as name)
        select name, count(*)::int as rows from gone group by name`;
      const { count } = await sql`
        delete from ${sql(name)} where id = any(${ids}::uuid[])
          and started_at between ${first}::text::timestamptz and ${last}::text::timestamptz`;
      return { last, texts, rows: count, isFull: ids.length === ROWS_A_SLICE };
    }, SLICE_WITHIN_MS);
    if (slice === null) break;
    for (const one of slice.texts) count(one.name, one.rows);
    rows += slice.rows;
    from = slice.last;
    if (!slice.isFull) break;
  }
  if (rows > 0) count(name, rows);
  return rows;
}

/** Never throws: what should be gone is gone. */
async function giveBack(database: Database, gone: ReadonlyMap<string, number>, log: Log): Promise<void> {
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

async function countRows(sql: Sql, table: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::float8 as count from ${sql(table)}`;
  return row?.count ?? 0;
}
