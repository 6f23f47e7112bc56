/** Pages of requests with their texts. */
import type { Database } from "../../database/database";
import { readCursor, writeCursor } from "./cursor";
import { type LogEntry, readEntries } from "./entry";
import type { LogFilter, Sorting } from "./filter";
import { fetching } from "./reading";
import { beginSearch } from "./search";
import { beginWalk, type Place } from "./walk";

export interface LogQuery extends LogFilter, Sorting {
  readonly limit: number;
  /** Entries to leave out first; a cursor has its own place. */
  readonly offset: number;
  /** Found in prompt or reply, whatever its case. */
  readonly q?: string | undefined;
  readonly cursor?: string | undefined;
  /** Characters of each text that are wanted; whole when absent. */
  readonly textLength?: number | undefined;
}

export interface LogPage {
  readonly logs: LogEntry[];
  /** What the filter lets through, as far as it was counted. */
  readonly total: number;
  /** Whether that is all. */
  readonly total_is_exact: boolean;
  /** The cursor of what follows; null at the end. */
  readonly next: string | null;
  /** Sorted by time: when the last request began that was looked at; null: to the end. */
  readonly searched_to: string | null;
}

/** How long a page may look for requests that no index finds. What it has found by then is the page. */
const LOOK_MS = 1000;
/** Places held at once: what an offset leaves out is counted, not kept. */
const MOST_PLACES = 12_000;

/**
 * A page of requests. It may hold fewer than `limit`, even none, while `next` says that there is more to look at.
 * @throws Failure `invalid_request` for a cursor that is none, or is one of another sorting
 */
export async function readLogs(database: Database, query: LogQuery): Promise<LogPage> {
  const { limit, q } = query;
  const cursor = query.cursor === undefined ? null : readCursor(query.cursor, query);
  const until = performance.now() + LOOK_MS;
  const walk =
    q === undefined ? beginWalk(database, query, query) : await beginSearch(database, query, query, q);
  let skip = cursor?.skip ?? query.offset;
  let seen = cursor?.seen ?? 0;
  let end: Place | null = cursor?.after ?? null;
  const places: Place[] = [];
  const far = skip > 0 ? await walk.jump(end, skip) : null;
  if (far !== null) {
    seen += skip;
    skip = 0;
    end = far;
  }
  do {
    const slice = await walk.next(end, Math.min(skip + limit + 1 - places.length, MOST_PLACES));
    const skipped = Math.min(skip, slice.found.length);
    skip -= skipped;
    seen += skipped;
    places.push(...slice.found.slice(skipped));
    end = slice.end;
  } while (end !== null && places.length <= limit && performance.now() < until);
  const page = places.slice(0, limit);
  seen += page.length;
  const isMore = places.length > limit;
  const after = isMore ? (page.at(-1) ?? null) : end;
  const atLeast = seen + Number(isMore);
  return {
    logs: await fetching(database, (sql) => readEntries(sql, page, query.textLength)),
    total: walk.total.exact ? walk.total.count : after === null ? seen : Math.max(walk.total.count, atLeast),
    total_is_exact: walk.total.exact || after === null,
    next: after === null ? null : writeCursor(query, { after, seen, skip }),
    searched_to: after === null || query.sort !== "timestamp" ? null : after.started_at.toISOString(),
  };
}
