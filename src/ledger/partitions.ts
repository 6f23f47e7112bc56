/** Requests by month, contents by day. Forgetting is dropping a partition: milliseconds, and the space is back. */
import type { Sql } from "../database/database";

type Partitioned = "requests" | "contents";

interface Partition {
  readonly name: string;
  /** RFC 3339, inclusive and exclusive. */
  readonly from: string;
  readonly to: string;
}

/** The partition of a table that a moment falls into. */
function partitionOf(table: Partitioned, at: Date): Partition {
  const year = at.getUTCFullYear();
  const month = at.getUTCMonth();
  const day = at.getUTCDate();
  const byDay = table === "contents";
  const from = new Date(Date.UTC(year, month, byDay ? day : 1));
  const to = new Date(byDay ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1, 1));
  const stamp = from
    .toISOString()
    .slice(0, byDay ? 10 : 7)
    .replaceAll("-", "_");
  return { name: `${table}_${stamp}`, from: from.toISOString(), to: to.toISOString() };
}

/** Makes the partitions that these moments need and that `known` does not hold yet; adds them to it. */
export async function ensurePartitions(
  sql: Sql,
  moments: readonly Date[],
  known: Set<string>,
): Promise<void> {
  const missing = new Map<string, Partition & { table: Partitioned }>();
  for (const at of moments) {
    for (const table of ["requests", "contents"] as const) {
      const partition = partitionOf(table, at);
      if (!known.has(partition.name)) missing.set(partition.name, { ...partition, table });
    }
  }
  if (missing.size === 0) return;
  // Two servers that make the same partition at once would fail one another.
  await sql`select pg_advisory_xact_lock(hashtext('corral partitions'))`;
  for (const { name, table, from, to } of missing.values()) {
    // No parameters in DDL: all four are made of a table's name and digits.
    await sql.unsafe(
      `create table if not exists ${name} partition of ${table} for values from ('${from}') to ('${to}')`,
    );
    known.add(name);
  }
}

/** Partitions of a table whose every row began before a moment. */
export async function partitionsBefore(sql: Sql, table: Partitioned, before: Date): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select child.relname as name from pg_inherits
    join pg_class child on child.oid = inhrelid
    join pg_class parent on parent.oid = inhparent
    where parent.relname = ${table} and parent.relnamespace = to_regnamespace(current_schema())
    order by 1`;
  const first = partitionOf(table, before).name;
  return rows.map((row) => row.name).filter((name) => name < first);
}
