/** Requests one after the other, any number of them in the memory of a few. */
import type { Database, Sql } from "../../database/database";
import type { LogFilter } from "./filter";
import { fetching } from "./reading";
import { beginSearch, fitting } from "./search";
import { beginWalk, type Place } from "./walk";

export interface ExportQuery extends LogFilter {
  readonly order: "asc" | "desc";
  /** Found in prompt or reply, whatever its case. */
  readonly q?: string | undefined;
}

/** What is held at once: so many requests, with texts of so many bytes, of one request at least. */
const SLICE_REQUESTS = 500;
const SLICE_BYTES = 4_000_000;

/**
 * Every request that the filter lets through and that began before now, a few at a time. What comes next is read when
 * it is asked for; meanwhile nothing of the database is held.
 * @param read `readEntries` or `readWhole`
 */
export async function* exportRequests<T>(
  database: Database,
  query: ExportQuery,
  read: (sql: Sql, places: readonly Place[]) => Promise<T[]>,
): AsyncGenerator<T[], void> {
  const { order, q } = query;
  // Oldest first it would otherwise run after what comes meanwhile.
  const now = new Date();
  const filter = query.to === undefined && !(query.from && query.from > now) ? { ...query, to: now } : query;
  const sorting = { sort: "timestamp", order } as const;
  const { next } =
    q === undefined ? beginWalk(database, filter, sorting) : await beginSearch(database, filter, sorting, q);
  let end: Place | null = null;
  do {
    const slice = await next(end, SLICE_REQUESTS);
    let rest = slice.found;
    while (rest.length > 0) {
      const { rows, count } = await fetching(database, async (sql) => {
        const count = await fitting(sql, rest, SLICE_BYTES);
        return { rows: await read(sql, rest.slice(0, count)), count };
      });
      yield rows;
      rest = rest.slice(count);
    }
    end = slice.end;
  } while (end !== null);
}
