/** CORRAL_DISK_BUDGET: the oldest texts go first, then the oldest requests, and nothing for nothing. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { Disk } from "../../src/ledger/budget";
import { silentLog } from "../../src/log";
import { eachDatabase, type OpenedDatabase } from "../support/databases";
import { keep, makeLedger, makeRecord, makeSpools } from "./records";

const now = new Date("2026-11-25T10:00:00Z");
const day = 86_400_000;
const beside = { spoolBytes: 1000, engineLogBytes: 2000, freeBytes: 1e12 };

eachDatabase("a budget of the disk", (open, kind) => {
  const spools = makeSpools();
  afterAll(spools.remove);
  let opened: OpenedDatabase;
  beforeEach(async () => {
    opened ??= await open({ heartbeatMs: 600_000, checkpointEveryMs: 600_000 });
    for (const name of await partitions()) await run(`drop table ${name}`);
    const ledger = makeLedger({ database: opened.database, folder: spools.fresh() });
    // Two megabytes of texts a day, of the last four days and of a month ago.
    for (const age of [0, 1, 2, 3, 30]) for (let part = 0; part < 4; part++) keep(big(age), ledger);
    await ledger.stop(20_000);
    // The log's coming and going is as big as what these tests put in: it begins a new file, and has room in it.
    if (kind === "embedded") for (const what of ["select pg_switch_wal()", "checkpoint"]) await run(what);
  });
  afterAll(() => opened?.close());

  function big(age: number) {
    const response = Buffer.from(crypto.getRandomValues(new Uint8Array(384_000))).toString("base64");
    const { contents, ...record } = makeRecord({ startedAt: new Date(now.getTime() - age * day) });
    return { ...record, contents: contents && { ...contents, response } };
  }
  const disk = (budgetBytes: number) =>
    new Disk({ database: opened.database, budgetBytes, beside: () => beside, log: silentLog });
  const partitions = async () =>
    (
      await opened.database.query(
        (sql) => sql<{ name: string }[]>`select inhrelid::regclass::text as name from pg_inherits
          where inhparent in ('requests'::regclass, 'contents'::regclass) order by 1`,
        30_000,
      )
    ).map(({ name }) => name);
  const run = (text: string) => opened.database.query((sql) => sql.unsafe(text), 30_000);
  /** What lets so much of the database stand. */
  const budgetFor = (bytes: number) => (bytes + beside.engineLogBytes) / 0.85;

  test("that is not reached drops nothing, and tells what is used, kept, and when it will be full", async () => {
    const some = disk(1e10);
    await some.keep(now);
    expect(some.why).toBeNull();
    expect(await partitions()).toHaveLength(7);
    const { use } = some;
    expect(use).toMatchObject({ ...beside, budgetBytes: 1e10, freeBytes: kind === "embedded" ? 1e12 : null });
    expect(use?.usedBytes).toBe((use?.databaseBytes ?? 0) + 3000);
    expect(use?.textsSince).toEqual(new Date("2026-10-26T00:00:00Z"));
    expect(use?.requestsSince).toEqual(new Date("2026-10-01T00:00:00Z"));
    // Two megabytes a day.
    const days = ((use?.fullAt?.getTime() ?? 0) - now.getTime()) / day;
    expect(days).toBeGreaterThan(3000);
    expect(days).toBeLessThan(6000);
  });

  test("that is nearly reached drops the oldest days of texts, and no more than it has to", async () => {
    const { databaseBytes } = (await disk(0).look(now)).use;
    const some = disk(budgetFor(databaseBytes - 3_000_000));
    await some.keep(now);
    expect((await partitions()).filter((name) => name.startsWith("contents"))).toEqual([
      "contents_2026_11_23",
      "contents_2026_11_24",
      "contents_2026_11_25",
    ]);
    expect(await partitions()).toContain("requests_2026_10");
    expect(some.use?.textsSince).toEqual(new Date("2026-11-23T00:00:00Z"));
    expect(some.why).toBeNull();
  });

  test("that is smaller yet drops old requests next, and today's texts only where it has to", async () => {
    const { databaseBytes } = (await disk(0).look(now)).use;
    await disk(budgetFor(databaseBytes - 7_500_000)).keep(now);
    expect(await partitions()).toEqual(["contents_2026_11_25", "requests_2026_10", "requests_2026_11"]);
    await disk(budgetFor(databaseBytes - 9_000_000)).keep(now);
    expect(await partitions()).toEqual(["requests_2026_11"]);
  });

  test("that nothing can keep drops nothing for it, and says so", async () => {
    const some = disk(1_000_000);
    await some.keep(now);
    expect(some.why).toMatch(/^CORRAL_DISK_BUDGET \(1MB\) can't be kept: .* Raise it$/);
    expect(await partitions()).toHaveLength(7);
  });

  test("that several programs keep at once drops what one would", async () => {
    const { databaseBytes } = (await disk(0).look(now)).use;
    const budget = budgetFor(databaseBytes - 3_000_000);
    await Promise.all([disk(budget).keep(now), disk(budget).keep(now), disk(budget).keep(now)]);
    expect((await partitions()).filter((name) => name.startsWith("contents"))).toHaveLength(3);
  });
});
