/** Events are kept whatever the database does meanwhile, and forgotten by age alone. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { FOREVER_MS } from "../../src/duration";
import { Failure } from "../../src/errors";
import { type ModelEvent, onRecord } from "../../src/ledger/event";
import { hasEnded, readEvents, readPulls } from "../../src/ledger/read/events";
import { forget } from "../../src/ledger/retention";
import { sayEvent } from "../../src/ledger/spool-lines";
import { type Log, silentLog } from "../../src/log";
import { eventually } from "../support/corral";
import { eachDatabase, type OpenedDatabase } from "../support/databases";
import { makeLedger, makeSpools, type Troubled, troubled } from "./records";

const server = crypto.randomUUID();
const begun = {
  action: "pull",
  model: "llama3.2",
  source: null,
  insecure: false,
  path: "/api/ollama/pull",
  clientAddress: "127.0.0.1",
  userAgent: "curl/8.5.0",
  user: null,
} as const;
const make = (fields: Partial<ModelEvent> = {}): ModelEvent => ({
  id: Bun.randomUUIDv7(),
  at: new Date(),
  ...begun,
  outcome: "complete",
  error: null,
  bytes: 2_019_393_189,
  durationMs: 48_200.5,
  ...fields,
});

eachDatabase("events", (open) => {
  let opened: OpenedDatabase;
  let trouble: Troubled;
  beforeEach(async () => {
    opened ??= await open();
    await opened.database.query((sql) => sql`truncate events`, 30_000);
    trouble = troubled(opened.database);
  });
  afterAll(() => opened?.close());
  const spools = makeSpools();
  afterAll(spools.remove);
  const ledgerOf = (options: { limitBytes?: number; folder?: string; log?: Log } = {}) =>
    makeLedger({ database: trouble.database, folder: spools.fresh(), server, ...options });
  const all = async () => (await readEvents(opened.database, { limit: 1000, offset: 0 })).events;
  const stored = (count: number) => eventually(all, (events) => events.length >= count);

  test("are found again, whole, once each, the latest first", async () => {
    const ledger = ledgerOf();
    const [one, two] = [make({ outcome: "client_abort", error: "x" }), make({ model: null, bytes: null })];
    for (const event of [one, two, one]) ledger.event(event);
    expect(await stored(2)).toEqual([
      expect.objectContaining({ id: two.id, model: null, bytes: null }),
      {
        id: one.id,
        at: one.at,
        action: "pull",
        model: "llama3.2",
        source: null,
        insecure: false,
        path: "/api/ollama/pull",
        client_address: "127.0.0.1",
        user_agent: "curl/8.5.0",
        client_user: null,
        outcome: "client_abort",
        error: "x",
        bytes: 2_019_393_189,
        duration_ms: 48_200.5,
      },
    ]);
    expect(await readPulls(opened.database, { server, path: begun.path, limit: 1 })).toMatchObject([
      { id: two.id },
    ]);
    expect(
      await readPulls(opened.database, { server: crypto.randomUUID(), path: begun.path, limit: 9 }),
    ).toEqual([]);
    expect(await hasEnded(opened.database, one.id)).toBe(true);
    for (const other of [crypto.randomUUID(), "", "' or 1=1"])
      expect(await hasEnded(opened.database, other)).toBe(false);
  });

  test("wait while the database is away, over a stop; what finds no room is told in the log", async () => {
    const lost: unknown[] = [];
    const log = { ...silentLog, error: (...said: unknown[]) => lost.push(said[0]) } as unknown as Log;
    const folder = spools.fresh();
    const small = { folder, limitBytes: sayEvent(make()).length * 3.5, log };
    const ledger = ledgerOf(small);
    trouble.goAway();
    const events = Array.from({ length: 4 }, () => make());
    for (const event of events) ledger.event(event);
    expect(lost.at(-1)).toMatchObject({ id: events[3]?.id, action: "pull", client: "127.0.0.1" });
    await ledger.stop(1000);
    expect(await all()).toEqual([]);
    trouble.comeBack();
    const next = ledgerOf(small);
    await next.stop(5000);
    expect((await all()).map(({ id }) => id)).toEqual(
      events
        .slice(0, 3)
        .map(({ id }) => id)
        .reverse(),
    );
  });

  test("that the database refuses keep no other from being stored, and no text is too strange", async () => {
    const ledger = ledgerOf();
    ledger.event(make({ model: "before" }));
    ledger.event(make({ model: "refused", bytes: 1e30 }));
    ledger.event(make({ model: `nul\u0000 and \ud800 ${"x".repeat(1000)}`, error: "y".repeat(5000) }));
    await ledger.stop(5000);
    const [strange, before, ...more] = await all();
    expect([before?.model, more]).toEqual(["before", []]);
    expect(strange?.model).toStartWith("nul\uFFFD and \uFFFD xxx");
    expect([strange?.model?.length, strange?.error?.length]).toEqual([401, 2000]);
  });

  test("are forgotten with request rows", async () => {
    const ledger = ledgerOf();
    const now = Date.now();
    for (const days of [1, 399, 401]) ledger.event(make({ at: new Date(now - days * 86_400_000) }));
    await ledger.stop(5000);
    const keeping = { contentMs: FOREVER_MS, requestsMs: FOREVER_MS, metricsMs: FOREVER_MS };
    await forget(opened.database, keeping, new Date(now), silentLog);
    expect(await all()).toHaveLength(3);
    await forget(opened.database, { ...keeping, requestsMs: 400 * 86_400_000 }, new Date(now), silentLog);
    expect(await all()).toHaveLength(2);
  });
});

test("work is on record however it ends, and what it throws is thrown on", async () => {
  const events: ModelEvent[] = [];
  const put = (event: ModelEvent) => events.push(event);
  expect(await onRecord(put, begun, async () => 3)).toBe(3);
  for (const [code, status] of [
    ["model_not_found", 404],
    ["engine_down", 503],
    ["engine_error", 502],
    ["engine_crash", 502],
  ] as const) {
    const thrown = new Failure(code, status, "x", `words of ${code}`);
    expect(onRecord(put, begun, () => Promise.reject(thrown))).rejects.toBe(thrown);
    await Bun.sleep(0);
  }
  expect(events.map(({ outcome, error }) => [outcome, error])).toEqual([
    ["complete", null],
    ["rejected", "words of model_not_found"],
    ["rejected", "words of engine_down"],
    ["engine_error", "words of engine_error"],
    ["engine_crash", "words of engine_crash"],
  ]);
});
