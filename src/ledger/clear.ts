/**
 * Deleting on request. What goes whole is truncated; of the rest rows are deleted a slice at a time, each in a short
 * transaction, and the tables are written anew, so that the space is back when it is answered.
 */
import postgres from "postgres";
import type { Database, Sql } from "../database/database";
import { failure } from "../errors";
import type { Log } from "../log";
import { countRows, giveBack } from "./give-back";
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
