/** Whether the ledger tells the truth: what it says of itself, its rows and its metrics against what clients saw. */

import type { Sql } from "../../../src/database/database";
import { addHistogram, type Counts } from "../../../src/ledger/histograms";
import { getJson, type RunningCorral } from "../../support/corral";
import type { Seen } from "./load";

export interface Standing {
  readonly accepted: number;
  readonly in_flight: number;
  readonly stored: number;
  readonly spooled: number;
  readonly set_aside: number;
  readonly shed: Record<"records" | "texts", { readonly spool_full: number; readonly write_failed: number }>;
}

export async function readStanding({ url }: RunningCorral): Promise<Standing> {
  return (await getJson(`${url}/api/ledger`)) as Standing;
}

export function shedOf({ shed }: Standing): number {
  return shed.records.spool_full + shed.records.write_failed;
}

/** @returns what is wrong; null where it adds up */
export function addUp(standing: Standing): string | null {
  const { accepted, in_flight, stored, spooled, set_aside } = standing;
  const sum = in_flight + stored + spooled + set_aside + shedOf(standing);
  return sum === accepted ? null : `the ledger does not add up to ${sum}: ${JSON.stringify(standing)}`;
}

export interface Row {
  readonly timestamp: string;
  readonly user_agent: string | null;
  readonly outcome: string;
}

/** The requests of one name that began after a moment. */
export async function readRows(
  { url }: RunningCorral,
  name: string,
  since: number,
): Promise<Map<string, Row[]>> {
  const rows = new Map<string, Row[]>();
  for (let cursor = ""; ; ) {
    const asked = `${url}/api/stats/logs?limit=1000&hours=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = (await getJson(asked)) as { logs: Row[]; next: string | null };
    for (const row of page.logs) {
      const agent = row.user_agent ?? "";
      if (agent.startsWith(`${name}/`)) rows.set(agent, [...(rows.get(agent) ?? []), row]);
    }
    const oldest = page.logs.at(-1);
    if (page.next === null || (oldest && Date.parse(oldest.timestamp) < since)) return rows;
    cursor = page.next;
  }
}

export interface Truth {
  readonly wasKilled: boolean;
  /** Records that were shed in this round, as the ledger says. */
  readonly shed: number;
}

/** @returns what differs, a sentence each */
export function compare(
  seen: readonly Seen[],
  rows: ReadonlyMap<string, Row[]>,
  { wasKilled, shed }: Truth,
): string[] {
  const wrong: string[] = [];
  let missing = 0;
  for (const one of seen) {
    const found = rows.get(one.agent) ?? [];
    const what = `${one.agent} (${JSON.stringify(one)})`;
    if (found.length > 1) wrong.push(`${what} is there ${found.length} times`);
    const [row] = found;
    if (!row) {
      // A kill may come between the request and its first line, and leave nobody who knows of it.
      if (one.whole || one.begun || !wasKilled) {
        missing++;
        if (missing > shed) wrong.push(`${what} is missing`);
      }
      continue;
    }
    const allowed = outcomesOf(one, wasKilled);
    if (!allowed.includes(row.outcome)) wrong.push(`${what} is ${row.outcome}, not ${allowed.join(" or ")}`);
    if (!wasKilled && !one.whole && !one.left) wrong.push(`${what} broke`);
  }
  if (missing < shed) wrong.push(`${shed} records were shed, and only ${missing} are missing`);
  return wrong;
}

function outcomesOf(one: Seen, wasKilled: boolean): string[] {
  if (one.whole) return one.status === 200 ? ["complete", "length"] : ["rejected", "engine_error"];
  // It had ended when its client left, or its last bytes were lost by the kill.
  if (one.left) return ["client_abort", "complete", ...(wasKilled ? ["server_crash"] : [])];
  return wasKilled ? ["server_crash", "complete", "length"] : ["complete"];
}

interface Sums {
  readonly rows: number;
  readonly agents: number;
  readonly successes: number;
}

/**
 * Holds the tables against one another.
 * @param stored what the ledger says that it stored
 * @returns what differs, a sentence each
 */
export async function compareTables(sql: Sql, stored: number): Promise<string[]> {
  const wrong: string[] = [];
  const [row] = await sql<Sums[]>`
    select count(*)::int as rows, count(distinct user_agent)::int as agents,
      count(*) filter (where outcome in ('complete', 'length'))::int as successes from requests`;
  const { rows, agents, successes } = row ?? { rows: 0, agents: 0, successes: 0 };
  if (rows !== stored)
    wrong.push(`the ledger says that ${stored} records are stored, and ${rows} rows are there`);
  if (agents !== rows) wrong.push(`${rows} rows are of ${agents} requests`);
  const metrics = await sql<{ step: string; requests: number; successes: number }[]>`
    select step, sum(requests)::int as requests, sum(successes)::int as successes from metrics group by step`;
  const histograms = await sql<{ step: string; latency_ms: Uint8Array }[]>`
    select step, latency_ms from histograms where latency_ms is not null`;
  const measured = new Map<string, number>();
  for (const { step, latency_ms } of histograms) {
    const counts: Counts = new Map();
    addHistogram(counts, latency_ms);
    for (const count of counts.values()) measured.set(step, (measured.get(step) ?? 0) + count);
  }
  for (const sum of metrics)
    if (sum.requests !== rows || sum.successes !== successes)
      wrong.push(`of ${rows} rows and ${successes} successes the metrics say ${JSON.stringify(sum)}`);
  for (const [step, count] of measured)
    if (count !== successes) wrong.push(`of ${successes} successes the histograms by ${step} say ${count}`);
  if (rows > 0 && metrics.length !== 4) wrong.push(`the metrics have ${metrics.length} steps`);
  return wrong;
}
