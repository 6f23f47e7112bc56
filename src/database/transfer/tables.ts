/** Tables as the catalog has them, for who copies them whole. */
import type { Sql } from "../sql";

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns of the primary key with their types, in its order. */
  readonly key: readonly { readonly name: string; readonly type: string }[];
  /** The partitions that hold its rows; of a plain table itself, without a range. */
  readonly parts: readonly Part[];
}

export interface Part {
  readonly name: string;
  /** RFC 3339, inclusive and exclusive. */
  readonly range: { readonly from: string; readonly to: string } | null;
}

interface TableRow {
  name: string;
  partitioned: boolean;
  columns: string[];
  key: string[];
  types: string[];
}
interface PartRow {
  parent: string;
  name: string;
  range_from: string | null;
  range_to: string | null;
}

/**
 * The tables of these names, in this order.
 * @throws Error for one that is not there, or has no primary key
 */
export async function readTables(sql: Sql, names: readonly string[]): Promise<Table[]> {
  const tables = await sql<TableRow[]>`
    select c.relname as name, c.relkind = 'p' as partitioned,
      (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      array_agg(a.attname::text order by k.place) as key,
      array_agg(format_type(a.atttypid, a.atttypmod) order by k.place) as types
    from pg_class c
    join pg_index i on i.indrelid = c.oid and i.indisprimary
    cross join unnest(i.indkey::int2[]) with ordinality k (number, place)
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
    where c.relnamespace = to_regnamespace(current_schema()) and c.relname = any(${[...names]}::text[])
    group by c.oid`;
  const parts = await sql<PartRow[]>`
    select parent, name, to_char((bounds[1])::timestamptz, ${RFC_3339}) as range_from,
      to_char((bounds[2])::timestamptz, ${RFC_3339}) as range_to
    from (
      select parent.relname as parent, child.relname as name,
        regexp_match(pg_get_expr(child.relpartbound, child.oid), ${"FROM \\('([^']+)'\\) TO \\('([^']+)'\\)"}) as bounds
      from pg_inherits
      join pg_class child on child.oid = inhrelid
      join pg_class parent on parent.oid = inhparent
      where parent.relnamespace = to_regnamespace(current_schema()) and parent.relname = any(${[...names]}::text[])
    ) as partitions
    order by name`;
  return names.map((name) => {
    const table = tables.find((one) => one.name === name);
    if (!table) throw new Error(`the database has no table ${name} with a primary key`);
    return {
      name,
      columns: table.columns,
      key: table.key.map((column, index) => ({ name: column, type: table.types[index] ?? "text" })),
      parts: table.partitioned
        ? parts
            .filter(({ parent }) => parent === name)
            .map((row) => ({ name: row.name, range: rangeOf(row) }))
        : [{ name, range: null }],
    };
  });
}

/** The migration that the database is at; 0 before the first. */
export async function readMigration(sql: Sql): Promise<number> {
  const [state] = await sql<
    { migration: number | null }[]
  >`select max(number) as migration from corral_migrations`;
  return state?.migration ?? 0;
}

/** The first of these tables that holds a row; null where all are empty. */
export async function firstFilled(sql: Sql, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    const [row] = await sql<{ filled: boolean }[]>`select exists(select from ${sql(name)}) as filled`;
    if (row?.filled) return name;
  }
  return null;
}

/** Makes a partition where it is missing. @param part whose name was checked: DDL takes no parameters */
export async function ensurePart(sql: Sql, table: string, { name, range }: Part): Promise<void> {
  if (range === null) return;
  await sql.unsafe(
    `create table if not exists ${quoteName(name)} partition of ${quoteName(table)} for values from ('${timeOf(range.from)}') to ('${timeOf(range.to)}')`,
  );
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

const RFC_3339 = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';

function rangeOf(row: PartRow): Part["range"] {
  return row.range_from === null || row.range_to === null ? null : { from: row.range_from, to: row.range_to };
}

/** @throws RangeError for what is no time */
function timeOf(text: string): string {
  return new Date(text).toISOString();
}
