/** The list behind the table of requests, on a server of as many as one likes. */
import { expect, test } from "bun:test";
import type { Entry, Logs } from "../../../../src/web/shared/api";
import { createList, type RequestList } from "../../../../src/web/views/requests/list";
import { mostRows, movedBase } from "../../../../src/web/views/requests/sight";

const NEWEST = Date.parse("2026-11-25T12:00:00Z");

/** The request that began so many seconds before the newest. */
function entry(age: number): Entry {
  const at = new Date(NEWEST - age * 1000);
  return {
    id: `req_${at.getTime()}`,
    timestamp: at.toISOString(),
    ...{
      model: "llama3.2",
      prompt: "Hi",
      response: "Hello",
      tokens_used: 2,
      latency_ms: 5,
      status: "success",
    },
    ...{ client_ip: null, outcome: "complete", dialect: "ollama.chat", operation: "chat", stream: true },
    ...{
      http_status: 200,
      ttft_ms: 1,
      tokens_in: 1,
      tokens_out: 1,
      tokens_per_second: null,
      finish_reason: null,
    },
    ...{
      thinking: null,
      error: null,
      user_agent: null,
      user: null,
      upstream_status: 200,
      longest_gap_ms: null,
    },
    ...{
      client_wait_ms: null,
      tokens_cached: null,
      load_ms: null,
      prefill_ms: null,
      decode_ms: null,
      cold: null,
    },
    ...{
      context_length: null,
      truncated: null,
      model_digest: null,
      traceparent: null,
      in_flight: 0,
      server: "one",
    },
  };
}

/**
 * A server of requests, one a second.
 * @param newest seconds before which the newest began; grows below 0 as further ones come
 * @param fits whether the filters let one through; a page looks at a thousand
 */
function makeServer(count: number, fits: (age: number) => boolean = () => true) {
  const server = { newest: 0, asked: 0 };
  const load = async (cursor: string | null, limit: number): Promise<Logs> => {
    server.asked += 1;
    const logs: Entry[] = [];
    const from = cursor === null ? server.newest : Number(cursor);
    let age = from;
    for (; age < count && logs.length < limit && age < from + 1000; age++)
      if (fits(age)) logs.push(entry(age));
    const isOver = age >= count;
    return {
      logs,
      total: logs.length,
      total_is_exact: isOver,
      next: isOver ? null : String(age),
      searched_to: isOver ? null : entry(age - 1).timestamp,
    };
  };
  return { server, list: createList(load) };
}

/** Answers come without a wait here: no time is lost between two looks. */
async function until(isSo: () => unknown): Promise<void> {
  while (!isSo()) await Bun.sleep(0);
}
const idle = (list: RequestList) =>
  until(() => !list.state.value.isLoading && list.state.value.next !== undefined);
const held = (list: RequestList) =>
  list.state.value.pages.reduce((sum, { rows }) => sum + (rows?.length ?? 0), 0);

test("a list of millions is scrolled through, down and up again, and a few thousand are held", async () => {
  const { list } = makeServer(5_000_000);
  for (let first = 0; first < 40_000; first += 50) {
    list.show(first, first + 40);
    await idle(list);
    expect(list.rows(first, first)).toEqual([entry(first)]);
  }
  expect(held(list)).toBeLessThan(3000);
  for (let first = 40_000; first >= 0; first -= 1000) {
    list.show(first, first + 40);
    await until(() => !list.rows(first, first + 40).includes(null));
    expect(list.rows(first, first + 40)).toEqual(Array.from({ length: 41 }, (_, at) => entry(first + at)));
  }
  expect(held(list)).toBeLessThan(3000);
});

test("a page that found nothing is gone on from, by itself", async () => {
  const { list, server } = makeServer(20_000, (age) => age === 12_345 || age === 19_999);
  await idle(list);
  expect(list.state.value).toMatchObject({ next: null, count: 2 });
  expect(list.rows(0, 9)).toEqual([entry(12_345), entry(19_999)]);
  expect(server.asked).toBe(20);
});

test("what ends comes in at its place, once, and is told in full when it is asked for again", async () => {
  const { list, server } = makeServer(5000);
  list.show(0, 40);
  await idle(list);
  const { server: _, ...ended } = entry(-2);
  list.add([ended]);
  list.add([entry(-1), ended]);
  // It began long ago, and belongs where nobody has looked yet.
  list.add([entry(4999.5)]);
  expect(list.rows(0, 2)).toEqual([ended, entry(-1), entry(0)]);
  server.newest = -3;
  list.refresh(true);
  await until(() => list.rows(0, 0)[0]?.server);
  expect(list.rows(0, 2)).toEqual([entry(-2), entry(-1), entry(0)]);
  list.refresh(false);
  await until(() => list.rows(0, 0)[0]?.id === entry(-3).id);
  list.show(300, 340);
  await idle(list);
  expect(list.rows(0, 400)).toEqual(Array.from({ length: 401 }, (_, at) => entry(at - 3)));
});

test("after more has ended than a page holds the list begins anew, without a gap", async () => {
  const { list, server } = makeServer(5000);
  list.show(0, 400);
  await idle(list);
  server.newest = -250;
  list.refresh(false);
  await until(() => list.rows(0, 0)[0]?.id === entry(-250).id);
  await idle(list);
  expect(list.rows(0, 400)).toEqual(Array.from({ length: 401 }, (_, at) => entry(at - 250)));
});

test("what failed is asked for again when somebody says so", async () => {
  let isAway = true;
  const list = createList(async () => {
    if (isAway) throw new Error("the database is away");
    return { logs: [entry(0)], total: 1, total_is_exact: true, next: null, searched_to: null };
  });
  await until(() => list.state.value.error);
  expect(list.state.value.error?.message).toBe("the database is away");
  isAway = false;
  list.retry();
  await until(() => list.state.value.count === 1);
  expect(list.state.value.error).toBeNull();
});

test("the scroll bar reaches every row of millions, and each step leaves the one in sight where it was", () => {
  let base = 0;
  const last = 5_000_000 - 1;
  const rows = [...Array.from({ length: 5000 }, (_, at) => at * 1000), last];
  for (const first of [...rows, ...rows.toReversed()]) {
    base = movedBase(base, first, last + 1);
    expect(base).toBeGreaterThanOrEqual(0);
    expect(first).toBeGreaterThanOrEqual(base);
    expect(first).toBeLessThan(base + mostRows);
  }
  expect(base).toBe(0);
});
