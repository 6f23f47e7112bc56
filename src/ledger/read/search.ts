/** Search in prompts and replies: of what a walk finds, those whose texts hold a text. */
import type { Database, Sql } from "../../database/database";
import { readPartitions } from "../partitions";
import { storable } from "../texts";
import type { LogFilter, Sorting } from "./filter";
import { placesWithTexts } from "./places";
import { fetching } from "./reading";
import { beginWalk, type Next, type Place, type Walk } from "./walk";

/** A slice is so many requests, or so many characters of texts, of one request at least. */
const SLICE_REQUESTS = 1000;
const SLICE_BYTES = 4_000_000;

/**
 * A walk through those requests that a filter lets through and whose prompt or reply holds a text, whatever its case.
 * How many those are is only known at the end.
 */
export async function beginSearch(
  database: Database,
  filter: LogFilter,
  sorting: Sorting,
  q: string,
): Promise<Walk> {
  // Rows are kept for longer than texts.
  const partitions = await fetching(database, readPartitions);
  const oldest = partitions.find(({ table }) => table === "contents")?.from ?? null;
  const from = oldest !== null && !(filter.from && filter.from > oldest) ? { from: oldest } : {};
  const isOver = oldest === null || (filter.to !== undefined && filter.to <= oldest);
  const walk = beginWalk(database, isOver ? filter : { ...filter, ...from }, sorting);
  return {
    next: isOver ? async () => ({ found: [], end: null }) : searchIn(database, walk.next, q),
    jump: async () => null,
    total: { count: 0, exact: false },
  };
}

function searchIn(database: Database, next: Next, q: string): Next {
  const pattern = `%${storable(q).replace(/[\\%_]/g, "\\$&")}%`;
  return async (after) => {
    const { found, end } = await next(after, SLICE_REQUESTS);
    if (found.length === 0) return { found, end };
    return fetching(database, async (sql) => {
      const near = found.slice(0, await fitting(sql, found, SLICE_BYTES));
      const hits = await sql<{ id: string }[]>`
        select p.id from ${placesWithTexts(sql, near)}
        where c.prompt ilike ${pattern} or c.response ilike ${pattern}`;
      const ids = new Set(hits.map(({ id }) => id));
      return {
        found: near.filter(({ id }) => ids.has(id)),
        end: near.length < found.length ? (near.at(-1) ?? null) : end,
      };
    });
  };
}

/**
 * How many of the first places have texts of so many bytes in all; one at least. Their lengths are known without
 * reading them.
 */
export async function fitting(sql: Sql, places: readonly Place[], bytes: number): Promise<number> {
  const rows = await sql<{ bytes: number }[]>`
    select (coalesce(octet_length(c.prompt), 0) + coalesce(octet_length(c.response), 0)
      + coalesce(octet_length(c.thinking), 0) + coalesce(octet_length(c.messages), 0))::float8 as bytes
    from ${placesWithTexts(sql, places)} order by p.place`;
  let sum = 0;
  const first = rows.findIndex((row) => {
    sum += row.bytes;
    return sum > bytes;
  });
  return first === -1 ? places.length : Math.max(1, first);
}
