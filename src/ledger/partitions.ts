/** Requests by month, contents by day. Forgetting is dropping a partition: milliseconds, and the space is back. */
import type { Sql } from "../database/database";

const partitionedTables = ["contents", "requests"] as const;
export type Partitioned = (typeof partitionedTables)[number];

interface Span {
  readonly name: string;
  /** Inclusive and exclusive. */
  readonly from: Date;
  readonly to: Date;
}

/** A partition that is there. */
export interface Partition extends Span {
  readonly table: Partitioned;
  /** With its indexes and long texts. */
  readonly bytes: number;
  readonly isEmpty: boolean;
  /** What retention has noted on it; null for nothing. */
  readonly note: string | null;
}

/** A clock that was never set says 1970, and a broken one anything: such records share a partition at either end. */
const EARLIEST = new Date("2020-01-01T00:00:00.000Z");
const LATEST = new Date("2099-12-31T00:00:00.000Z");

/** A record's time as it is stored: itself, unless no clock that was set can have said it. */
export function storableTime(at: Date): Date {
  if (at < EARLIEST) return EARLIEST;
  return at > LATEST ? LATEST : at;
}

/** The partition of a table that a moment falls into. */
export function partitionAt(table: Partitioned, at: Date): Span {
  return spanFrom(table, at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate());
}

function spanFrom(table: Partitioned, year: number, month: number, day: number): Span {
  const byDay = table === "contents";
  const from = new Date(Date.UTC(year, month, byDay ? day : 1));
  const to = new Date(byDay ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1, 1));
  const stamp = from
    .toISOString()
    .slice(0, byDay ? 10 : 7)
    .replaceAll("-", "_");
  return { name: `${table}_${stamp}`, from, to };
}

/** Makes the partitions that these moments need and that `known` does not hold yet; adds them to it. */
export async function ensurePartitions(
  sql: Sql,
  moments: readonly Date[],
  known: Set<string>,
): Promise<void> {
  const missing = new Map<string, Span & { table: Partitioned }>();
  for (const at of moments) {
    for (const table of ["requests", "contents"] as const) {
      const partition = partitionAt(table, at);
      if (!known.has(partition.name)) missing.set(partition.name, { ...partition, table });
    }
  }
  if (missing.size === 0) return;
  // Two servers that make the same partition at once would fail one another.
  await sql`select pg_advisory_xact_lock(hashtext('corral partitions'))`;
  for (const { name, table, from, to } of missing.values()) {
    const [found] = await sql<{ isThere: boolean }[]>`select to_regclass(${name}) is not null as "isThere"`;
    if (found?.isThere !== true) {
      // No parameters in DDL: all four are made of a table's name and digits. Attached, since to create it as a partition
      // locks the whole table, and would wait for a backup.
      await sql.unsafe(`create table ${name} (like ${table} including all)`);
      await sql.unsafe(
        `alter table ${table} attach partition ${name} for values from ('${from.toISOString()}') to ('${to.toISOString()}')`,
      );
    }
    known.add(name);
  }
}

/** The partitions of both tables, oldest first. */
export async function readPartitions(sql: Sql): Promise<Partition[]> {
  const rows = await sql<Pick<Partition, "table" | "name" | "bytes" | "isEmpty" | "note">[]>`
    select parent.relname as table, child.relname as name, obj_description(child.oid, 'pg_class') as note,
      coalesce(pg_total_relation_size(child.oid), 0)::float8 as bytes,
      coalesce(pg_relation_size(child.oid), 0) = 0 as "isEmpty"
    from pg_inherits
    join pg_class child on child.oid = inhrelid
    join pg_class parent on parent.oid = inhparent
    where parent.relname in ${sql(partitionedTables)} and parent.relkind = 'p'
      and parent.relnamespace = to_regnamespace(current_schema())
    order by 2`;
  return rows.flatMap((row) => {
    // Those that somebody else attached are left alone.
    const [, year, month, day = "01"] = /_(\d{4})_(\d\d)(?:_(\d\d))?$/.exec(row.name) ?? [];
    const span = spanFrom(row.table, Number(year), Number(month) - 1, Number(day));
    return span.name === row.name ? [{ ...row, ...span }] : [];
  });
}

/**
 * Drops a partition. In a transaction of its own, always: it holds up everybody who asks for its table, and who holds
 * two tables up can wait for somebody who waits for it.
 */
export async function dropPartition(sql: Sql, { name }: Pick<Partition, "name">): Promise<void> {
  await sql.unsafe(`drop table if exists ${name}`);
}

/** Has a transaction give up rather than wait long for a table, since all who come after it would wait with it. */
export async function waitBriefly(sql: Sql): Promise<void> {
  await sql`select set_config('lock_timeout', '5s', true)`;
}
