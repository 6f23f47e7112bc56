/** What the view is made of: their requests, everybody else's at that time, what is usual, and what else happened. */
import { type Answers, call, type Entry } from "../../../shared/api";
import { isAnyone, type Question } from "./address";
import { endOf, type Usual, usualKey } from "./entries";

/** A request that began so long before may still run in the time that is looked at. */
const LOOK_BACK_MS = 15 * 60_000;
/** Most that is read of what began before: on a busy server that is much, and little of it still ran. */
const PAGES_BEFORE = 2;
const MOST_THEIRS = 100;
const MOST_OTHERS = 300;
const USUAL_OF_MS = 7 * 86_400_000;
/** As many models and operations as anybody can compare. */
const MOST_USUAL = 12;

export interface Found {
  /** What was asked. */
  readonly question: Question;
  /** Oldest first. */
  readonly theirs: readonly Entry[];
  /** Of all servers, oldest first; none where everybody's are theirs. */
  readonly others: readonly Entry[];
  /** Whether there are more of theirs. */
  readonly isMore: boolean;
  /** By `usualKey`. */
  readonly usual: ReadonlyMap<string, Usual>;
  readonly events: Answers["GET /api/events"]["events"];
}

export async function find(question: Question, signal: AbortSignal): Promise<Found> {
  const { user, client_ip, model, operation, server, from, to } = question;
  const whose = { user, client_ip, model, operation };
  const [theirs, all, { events }] = await Promise.all([
    entriesIn(question, { ...whose, server }, MOST_THEIRS, signal),
    isAnyone(question) ? null : entriesIn(question, { server }, MOST_OTHERS, signal),
    call("GET /api/events", { query: { from: from.toISOString(), to: to.toISOString(), server }, signal }),
  ]);
  const ids = new Set(theirs.entries.map(({ id }) => id));
  return {
    question,
    theirs: theirs.entries,
    others: all ? all.entries.filter(({ id }) => !ids.has(id)) : [],
    isMore: theirs.isMore,
    usual: await usualOf(theirs.entries, to, signal),
    events,
  };
}

/** The newest requests that ran in the time, page by page: a page of what is rare may be short. */
async function entriesIn(
  { from, to }: Question,
  filter: Readonly<Record<string, string | null>>,
  most: number,
  signal: AbortSignal,
): Promise<{ entries: Entry[]; isMore: boolean }> {
  const since = new Date(from.getTime() - LOOK_BACK_MS).toISOString();
  const entries: Entry[] = [];
  let cursor: string | null = null;
  let before = 0;
  do {
    const query = { ...filter, from: since, to: to.toISOString(), limit: most, cursor, text_length: 0 };
    const page: Answers["GET /api/stats/logs"] = await call("GET /api/stats/logs", { query, signal });
    entries.push(...page.logs.filter((entry) => endOf(entry) >= from.getTime()));
    cursor = page.next;
    if (Date.parse(page.searched_to ?? "") < from.getTime()) before++;
  } while (cursor !== null && entries.length < most && before < PAGES_BEFORE);
  return { entries: entries.slice(0, most).reverse(), isMore: cursor !== null && entries.length >= most };
}

async function usualOf(entries: readonly Entry[], to: Date, signal: AbortSignal) {
  const kinds = new Map(entries.filter(({ model }) => model !== null).map((one) => [usualKey(one), one]));
  const from = new Date(to.getTime() - USUAL_OF_MS).toISOString();
  const figures = [...kinds].slice(0, MOST_USUAL).map(async ([key, { model, operation }]) => {
    const query = { model, operation, from, to: to.toISOString() };
    return [key, (await call("GET /api/stats/summary", { query, signal })).total] as const;
  });
  return new Map(await Promise.all(figures));
}
