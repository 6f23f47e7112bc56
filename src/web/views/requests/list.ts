/**
 * Requests as a list that goes on for as long as one scrolls: page after page by the API's cursors, of which those near
 * to what is seen are held. How many there are in all nobody needs to know.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Logs } from "../../shared/api";
import type { Row } from "./query";

/** Asks for a page. @param cursor null for the first */
export type LoadPage = (cursor: string | null, limit: number, signal: AbortSignal) => Promise<Logs>;

interface Page {
  /** What it was asked with; null for the first. */
  readonly cursor: string | null;
  readonly count: number;
  /** null: let go, and asked for again when it comes into sight. */
  readonly rows: readonly Row[] | null;
}

interface ListState {
  readonly pages: readonly Page[];
  /** How many rows are known so far. */
  readonly count: number;
  /** What comes next is asked with; null at the end, undefined before the first answer. */
  readonly next: string | null | undefined;
  /** Whether the last answer was a short one: what is rare is still being looked for. */
  readonly isSearching: boolean;
  /** How far back that was; null where the order is not one of time. */
  readonly searchedTo: string | null;
  /** What the filters let through as far as the server counted. */
  readonly total: number;
  readonly isTotalExact: boolean;
  readonly isLoading: boolean;
  /** Why the last try failed; nothing more is asked until `retry`. */
  readonly error: Error | null;
}

export interface RequestList {
  readonly state: ReadonlySignal<ListState>;
  /** Says which rows are in sight: what is missing there or a little further is loaded, what is far is let go. */
  show(first: number, last: number): void;
  /** The rows from one to another, both included; null for those that are not held. */
  rows(first: number, last: number): (Row | null)[];
  /** Where a request is among the rows that are held; -1 where it is not. */
  find(id: string): number;
  /** Puts requests that have just ended in their places. */
  add(ended: readonly Row[]): void;
  /** Asks for the newest again. @param isKnownOnly takes what is new of rows that are there, and no rows that are not */
  refresh(isKnownOnly: boolean): void;
  retry(): void;
  /** Asks for nothing any more. */
  stop(): void;
}

export const ROWS_A_PAGE = 100;
/** Rows that are loaded before they come into sight, and kept after. */
const AHEAD = 150;
const KEPT = 1000;
/** Beyond it the first page, into which live requests come, is begun anew. */
const LONGEST_FIRST_PAGE = 400;

type Job = "refresh" | "next" | Page;

export function createList(load: LoadPage): RequestList {
  const state = signal<ListState>({
    pages: [],
    count: 0,
    next: undefined,
    isSearching: false,
    searchedTo: null,
    total: 0,
    isTotalExact: false,
    isLoading: false,
    error: null,
  });
  const stopped = new AbortController();
  let seen = { first: 0, last: 0 };
  /** Whether the newest are to be asked for; `known` for rows that are there alone. */
  let wanted: "all" | "known" | null = "all";
  let isWorking = false;

  const change = (changes: Partial<ListState>) => {
    state.value = { ...state.value, ...changes };
  };
  const putPages = (pages: readonly Page[], changes: Partial<ListState> = {}) =>
    change({ ...changes, pages, count: pages.reduce((sum, page) => sum + page.count, 0) });

  /** Each page with the place of its first row. */
  function* placed(): Generator<readonly [page: Page, start: number]> {
    let start = 0;
    for (const page of state.value.pages) {
      yield [page, start];
      start += page.count;
    }
  }

  /** Whether a page from `start` on is so near to what is seen. */
  const isNear = (page: Page, start: number, rows: number) =>
    start <= seen.last + rows && start + page.count > seen.first - rows;

  function nextJob(): Job | null {
    const { error, next, count } = state.value;
    if (error || stopped.signal.aborted) return null;
    if (wanted || next === undefined) return "refresh";
    for (const [page, start] of placed()) if (page.rows === null && isNear(page, start, AHEAD)) return page;
    return next && seen.last + AHEAD >= count ? "next" : null;
  }

  async function work(): Promise<void> {
    if (isWorking) return;
    isWorking = true;
    for (let job = nextJob(); job; job = nextJob()) {
      if (job !== "refresh") change({ isLoading: true });
      try {
        await (job === "refresh" ? loadNewest() : job === "next" ? loadNext() : loadAgain(job));
      } catch (error) {
        if (stopped.signal.aborted) return;
        change({ error: error instanceof Error ? error : new Error(String(error)) });
      }
    }
    isWorking = false;
    if (state.value.isLoading) change({ isLoading: false });
  }

  async function loadNewest(): Promise<void> {
    const isKnownOnly = wanted === "known";
    wanted = null;
    const answer = await load(null, ROWS_A_PAGE, stopped.signal);
    const [first, ...others] = state.value.pages;
    const [newest] = rows(0, 0);
    if (isKnownOnly && first?.rows) {
      const ids = new Set(first.rows.map(({ id }) => id));
      const told = answer.logs.filter(({ id }) => ids.has(id));
      return putPages([firstPage(merged(first.rows, told)), ...others]);
    }
    const isGap = newest && answer.searched_to !== null && answer.searched_to > newest.timestamp;
    const isLong = first && first.count > LONGEST_FIRST_PAGE && answer.logs.length === ROWS_A_PAGE;
    if (!first?.rows || isGap || isLong) return putPages([firstPage(answer.logs)], foundIn(answer));
    // What was looked at reaches into what is known: the pages behind stay as they are.
    const { total, total_is_exact: isTotalExact } = answer;
    putPages([firstPage(merged(first.rows, answer.logs.filter(belongsFirst()))), ...others], {
      total,
      isTotalExact,
    });
  }

  /** Tells whether a row belongs on the first page as far as that goes: what began before comes with the pages behind. */
  function belongsFirst(): (row: Row) => boolean {
    const { pages, next, searchedTo } = state.value;
    const [first, second] = pages;
    if (!second && next === null) return () => true;
    const ids = new Set(first?.rows?.map(({ id }) => id));
    const end = first?.rows?.at(-1)?.timestamp ?? second?.rows?.[0]?.timestamp ?? searchedTo ?? "";
    return ({ id, timestamp }) => ids.has(id) || timestamp > end;
  }

  async function loadNext(): Promise<void> {
    const { pages, next: cursor } = state.value;
    if (!cursor) return;
    const answer = await load(cursor, ROWS_A_PAGE, stopped.signal);
    const rows = answer.logs;
    putPages(rows.length === 0 ? pages : [...pages, { cursor, count: rows.length, rows }], foundIn(answer));
    letGo();
  }

  /** A page may come in pieces now, though it did not then. */
  async function loadAgain(page: Page): Promise<void> {
    const rows: Row[] = [];
    let cursor = page.cursor;
    do {
      const answer = await load(cursor, page.count - rows.length, stopped.signal);
      rows.push(...answer.logs);
      cursor = answer.next;
    } while (cursor !== null && rows.length < page.count);
    putPages(state.value.pages.map((one) => (one === page ? { ...page, count: rows.length, rows } : one)));
  }

  function letGo(): void {
    const far = new Set<Page>();
    for (const [page, start] of placed()) {
      // The first is where live requests come in.
      if (start > 0 && page.rows && !isNear(page, start, KEPT)) far.add(page);
    }
    if (far.size > 0)
      putPages(state.value.pages.map((page) => (far.has(page) ? { ...page, rows: null } : page)));
  }

  function rows(first: number, last: number): (Row | null)[] {
    const found: (Row | null)[] = [];
    for (const [page, start] of placed()) {
      for (let at = Math.max(first, start); at <= Math.min(last, start + page.count - 1); at++)
        found.push(page.rows?.[at - start] ?? null);
    }
    return found;
  }

  function find(id: string): number {
    for (const [page, start] of placed()) {
      const at = page.rows?.findIndex((row) => row.id === id) ?? -1;
      if (at >= 0) return start + at;
    }
    return -1;
  }

  function add(ended: readonly Row[]): void {
    const { pages, next, total } = state.value;
    const [first, ...others] = pages;
    if (next === undefined || !first?.rows) return;
    const fresh = ended.filter(belongsFirst());
    if (fresh.length > 0)
      putPages([firstPage(merged(fresh, first.rows)), ...others], { total: total + fresh.length });
  }

  void work();
  return {
    state,
    rows,
    find,
    add,
    show: (first, last) => {
      seen = { first, last };
      letGo();
      void work();
    },
    refresh: (isKnownOnly) => {
      wanted = isKnownOnly && wanted !== "all" ? "known" : "all";
      void work();
    },
    retry: () => {
      change({ error: null });
      void work();
    },
    stop: () => stopped.abort(),
  };
}

function firstPage(rows: readonly Row[]): Page {
  return { cursor: null, count: rows.length, rows };
}

/** What an answer says of where the list goes on. */
function foundIn(answer: Logs): Partial<ListState> {
  return {
    next: answer.next,
    isSearching: answer.next !== null && answer.logs.length < ROWS_A_PAGE,
    searchedTo: answer.searched_to,
    total: answer.total,
    isTotalExact: answer.total_is_exact,
  };
}

/** Both, newest first, each request once: as the later has it. */
function merged(rows: readonly Row[], later: readonly Row[]): Row[] {
  const byId = new Map([...rows, ...later].map((row) => [row.id, row]));
  return [...byId.values()].sort((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
}

function placeOf({ timestamp, id }: Row): string {
  return timestamp + id;
}
