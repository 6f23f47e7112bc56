/**
 * Looks through requests in the order that is asked for. No question reads millions of rows at once: the index that
 * leaves the fewest leads, and what no index answers is looked for slice by slice. Between two slices others have the
 * database, of which the embedded one has a single connection.
 */
import type { Database, Sql } from "../../database/database";
import {
  conditionsOf,
  every,
  type Fragment,
  type Lead,
  type LogFilter,
  leadsInTime,
  type Sorting,
  timeOf,
} from "./filter";
import { looking } from "./reading";

/** Where a request stands in the order. */
export interface Place {
  readonly id: string;
  readonly started_at: Date;
  /** What is sorted by, where that is not the time; absent values come last. */
  readonly value: number | null;
}

interface Slice {
  /** Requests that the filter lets through, in order. */
  readonly found: readonly Place[];
  /** How far it looked: the next slice begins after it. null: to the end. */
  readonly end: Place | null;
}

/** Gives the next slice. @param most found at once */
export type Next = (after: Place | null, most: number) => Promise<Slice>;

export interface Walk {
  readonly next: Next;
  /** The place of the request that is so many further; null where there are fewer, or they can only be counted. */
  readonly jump: (after: Place | null, count: number) => Promise<Place | null>;
  /** Requests that the filter lets through: all, or at least so many. Known once something was asked. */
  readonly total: { readonly count: number; readonly exact: boolean };
}

/** So many can be looked at, counted and sorted in one go. */
const FEW = 10_000;
/** Rows looked at in the first slice, and in any. A slice is longer or shorter than the last by what that one took. */
const FIRST_LOOK = 2000;
const LONGEST_LOOK = 50_000;
const SLICE_MS = 25;

interface Plan {
  readonly filter: LogFilter;
  readonly sorting: Sorting;
  readonly lead: Lead | null;
  /** Whether what leads leaves few. */
  readonly few: boolean;
}

export function beginWalk(database: Database, filter: LogFilter, sorting: Sorting): Walk {
  let plan: Plan | null = null;
  let total: Walk["total"] = { count: 0, exact: false };
  /** In the transaction of what is asked first: one more would be a good part of a page's time. */
  const planned = async (sql: Sql): Promise<Plan> => {
    if (plan !== null) return plan;
    const chosen = await choose(sql, filter, sorting);
    total = await count(sql, chosen);
    plan = chosen;
    return chosen;
  };
  let look = FIRST_LOOK;
  const next: Next = async (after, most) => {
    const { slice, isFew } = await looking(database, async (sql) => {
      const plan = await planned(sql);
      const began = performance.now();
      const found = plan.few
        ? await readFew(sql, plan, after, most)
        : await readMany(sql, plan, after, most, look);
      const tookMs = Math.max(1, performance.now() - began);
      look = Math.round(Math.min(LONGEST_LOOK, Math.max(FIRST_LOOK / 4, (look * SLICE_MS) / tookMs)));
      return { slice: found, isFew: plan.few };
    });
    // Behind the last that has a value come those without one.
    if (slice.end === null && !isFew && mayBeAbsent(sorting) && !(after && isWithout(after, sorting)))
      return { ...slice, end: beforeAbsent(sorting) };
    return slice;
  };
  const jump: Walk["jump"] = (after, count) =>
    looking(database, async (sql) => readFar(sql, await planned(sql), after, count));
  return {
    next,
    jump,
    get total() {
      return total;
    },
  };
}

async function choose(sql: Sql, filter: LogFilter, sorting: Sorting): Promise<Plan & { size: number }> {
  const time = timeOf(sql, filter);
  const leads = [
    ...conditionsOf(sql, filter).filter(({ lead }) => lead !== null),
    { lead: null, test: sql`true` },
  ];
  const sizes = leads
    .map(
      ({ test }) =>
        sql`(select count(*)::int from (select from requests r where ${time} and ${test} limit ${FEW + 1}) counted)`,
    )
    .reduce((all, one) => sql`${all}, ${one}`);
  const [row] = await sql<{ sizes: number[] }[]>`select array[${sizes}] as sizes`;
  const size = Math.min(...(row?.sizes ?? []));
  const smallest = leads[row?.sizes.indexOf(size) ?? 0]?.lead ?? null;
  if (size <= FEW) return { filter, sorting, size, few: true, lead: smallest };
  // Whatever leads must lead in the order that is asked for.
  const inOrder = leads.find(({ lead }) => {
    if (lead === null) return true;
    if (sorting.sort === "timestamp") return leadsInTime.includes(lead);
    return sorting.sort === "latency_ms" && lead === "latency";
  });
  return { filter, sorting, size, few: false, lead: inOrder?.lead ?? null };
}

async function count(sql: Sql, plan: Plan & { size: number }): Promise<Walk["total"]> {
  const { inside, rest } = split(sql, plan);
  if (rest === null) return { count: Math.min(plan.size, FEW), exact: plan.few };
  if (!plan.few) return { count: 0, exact: false };
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from (select * from requests r where ${inside} limit ${FEW + 1}) r where ${rest}`;
  return { count: row?.count ?? 0, exact: true };
}

/** What the index leads to, and what is looked for in it; null: nothing more. */
function split(sql: Sql, { filter, lead }: Plan): { inside: Fragment; rest: Fragment | null } {
  const conditions = conditionsOf(sql, filter);
  const led = conditions.filter((condition) => lead !== null && condition.lead === lead);
  const others = conditions.filter((condition) => !led.includes(condition));
  return {
    inside: sql`${timeOf(sql, filter)} and ${every(sql, led)}`,
    rest: others.length === 0 ? null : every(sql, others),
  };
}

async function readFew(sql: Sql, plan: Plan, after: Place | null, most: number): Promise<Slice> {
  const { inside, rest } = split(sql, plan);
  const key = keyOf(sql, plan.sorting);
  const direction = directionOf(sql, plan.sorting);
  const found = await sql<Place[]>`
    select r.id, r.started_at, ${sortedValue(sql, plan.sorting)} as value
    from (select * from requests r where ${inside} limit ${FEW + 1}) r
    where ${rest ?? sql`true`} and ${afterAny(sql, plan.sorting, after)}
    order by ${key} ${direction} nulls last, r.id ${direction} limit ${most}`;
  return { found, end: found.length < most ? null : (found.at(-1) ?? null) };
}

async function readMany(
  sql: Sql,
  plan: Plan,
  after: Place | null,
  most: number,
  look: number,
): Promise<Slice> {
  const { sorting } = plan;
  const { inside, rest } = split(sql, plan);
  const isAbsent = after !== null && isWithout(after, sorting);
  const key = isAbsent ? sql`r.id` : keyOf(sql, sorting);
  // Those that have one are only looked at, and must not be taken for the place where it goes on.
  const value = isAbsent ? sql`null::float8` : sortedValue(sql, sorting);
  const direction = directionOf(sql, sorting);
  const looked = rest === null && !isAbsent ? most : look;
  const matches = isAbsent
    ? sql`${keyOf(sql, sorting)} is null and ${rest ?? sql`true`}`
    : (rest ?? sql`true`);
  // Every order in it is the innermost one, so nothing is sorted, and it stops when enough is found.
  const rows = await sql<(Place & { matches: boolean; place: number })[]>`
    select id, started_at, value, matches, place::int from (
      select *, row_number() over (order by key ${direction}, id ${direction}) as place from (
        select r.id, r.started_at, ${key} as key, ${value} as value, (${matches}) is true as matches
        from requests r where ${inside} and ${afterPlace(sql, sorting, after, isAbsent)}
        order by ${key} ${direction}, r.id ${direction} limit ${looked}
      ) looked
    ) looked where matches or place = ${looked} order by key ${direction}, id ${direction} limit ${most}`;
  const last = rows.at(-1);
  const isOver = last === undefined || (rows.length < most && last.place < looked);
  return { found: rows.filter((row) => row.matches), end: isOver ? null : last };
}

/** Reads nothing but an index. */
async function readFar(sql: Sql, plan: Plan, after: Place | null, count: number): Promise<Place | null> {
  const { sorting } = plan;
  const { inside, rest } = split(sql, plan);
  if (plan.few || rest !== null || (after !== null && isWithout(after, sorting))) return null;
  const [key, direction] = [keyOf(sql, sorting), directionOf(sql, sorting)];
  const [place] = await sql<Place[]>`
    select r.id, r.started_at, ${sortedValue(sql, sorting)} as value
    from requests r where ${inside} and ${afterPlace(sql, sorting, after, false)}
    order by ${key} ${direction}, r.id ${direction} offset ${count - 1} limit 1`;
  return place ?? null;
}

/** What is sorted by. */
function keyOf(sql: Sql, { sort }: Sorting): Fragment {
  if (sort === "timestamp") return sql`r.started_at`;
  if (sort === "latency_ms") return sql`r.latency_ms`;
  if (sort === "ttft_ms") return sql`r.ttft_ms`;
  return sql`(case when r.tokens_in is null then r.tokens_out else r.tokens_in + coalesce(r.tokens_out, 0) end)`;
}

function sortedValue(sql: Sql, sorting: Sorting): Fragment {
  return sorting.sort === "timestamp" ? sql`null::float8` : sql`${keyOf(sql, sorting)}::float8`;
}

function directionOf(sql: Sql, { order }: Sorting): Fragment {
  return order === "desc" ? sql`desc` : sql`asc`;
}

function mayBeAbsent({ sort }: Sorting): boolean {
  return sort === "ttft_ms" || sort === "tokens_used";
}

/** Whether a place is among those without a value. */
function isWithout({ value }: Place, sorting: Sorting): boolean {
  return value === null && mayBeAbsent(sorting);
}

/** Those without a value are in the order of their ids: this is before the first. */
function beforeAbsent({ order }: Sorting): Place {
  const id =
    order === "desc" ? "ffffffff-ffff-ffff-ffff-ffffffffffff" : "00000000-0000-0000-0000-000000000000";
  return { id, started_at: new Date(0), value: null };
}

/** Only what comes after a place, by the index of the order. */
function afterPlace(sql: Sql, sorting: Sorting, after: Place | null, isAbsent: boolean): Fragment {
  const present = mayBeAbsent(sorting) && !isAbsent ? sql`${keyOf(sql, sorting)} is not null` : sql`true`;
  if (after === null) return present;
  const id = sql`${after.id}::uuid`;
  const compared = sorting.order === "desc" ? sql`<` : sql`>`;
  if (isAbsent) return sql`r.id ${compared} ${id}`;
  return sql`${present} and (${keyOf(sql, sorting)}, r.id) ${compared} (${boundOf(sql, sorting, after)}, ${id})`;
}

/** Only what comes after a place, those without a value last. */
function afterAny(sql: Sql, sorting: Sorting, after: Place | null): Fragment {
  if (after === null) return sql`true`;
  const isAbsent = isWithout(after, sorting);
  const behind = isAbsent ? sql`${keyOf(sql, sorting)} is null` : sql`true`;
  const place = sql`${behind} and ${afterPlace(sql, sorting, after, isAbsent)}`;
  return isAbsent ? place : sql`(${place} or ${keyOf(sql, sorting)} is null)`;
}

function boundOf(sql: Sql, { sort }: Sorting, { started_at, value }: Place): Fragment {
  if (sort === "timestamp") return sql`${started_at.toISOString()}::timestamptz`;
  return sort === "tokens_used" ? sql`${value}::float8::bigint` : sql`${value}::float8`;
}
