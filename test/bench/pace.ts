/** How late a program's own loop is while it keeps requests at a pace. */

import type { Ledger } from "../../src/ledger/ledger";
import { keep } from "../ledger/records";
import { makeCorpus } from "./corpus";

const SECONDS = 20;
const TICK_MS = 5;

export interface Paced {
  /** Of a 5 ms timer, ms: half of the time, one time in a hundred, and at worst. */
  readonly late: { readonly half: number; readonly hundredth: number; readonly most: number };
  readonly requests: number;
}

/** Begins and ends requests in this process, evenly. @param ledger null: none, to see what the machine does by itself */
export async function pace(ledger: Ledger | null, requestsASecond: number): Promise<Paced> {
  const records = [...makeCorpus(2000, Date.now())];
  const late: number[] = [];
  const startedAt = performance.now();
  let due = startedAt;
  let requests = 0;
  for (;;) {
    due += TICK_MS;
    await Bun.sleep(Math.max(0, due - performance.now()));
    const now = performance.now();
    late.push(Math.max(0, now - due));
    if (now - startedAt > SECONDS * 1000) break;
    // One that is late goes on from here: it must not count what it missed as late once more.
    due = Math.max(due, now - TICK_MS);
    const wanted = Math.floor(((now - startedAt) * requestsASecond) / 1000);
    for (; requests < wanted; requests++) {
      const record = records[requests % records.length];
      if (record && ledger) keep({ ...record, id: Bun.randomUUIDv7(), startedAt: new Date() }, ledger);
    }
  }
  const sorted = late.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { late: { half: at(0.5), hundredth: at(0.99), most: at(1) }, requests };
}
