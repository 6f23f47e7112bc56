/** What is older than it may be is forgotten, and its space is back. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import { FOREVER_MS } from "../../src/duration";
import { forget, type Keeping } from "../../src/ledger/retention";
import { silentLog } from "../../src/log";
import { eachDatabase, type OpenedDatabase } from "../support/databases";
import { keep, makeLedger, makeRecord, makeSpools } from "./records";

const day = 86_400_000;
const now = new Date("2026-11-25T10:00:00Z");
const forever: Keeping = { contentMs: FOREVER_MS, requestsMs: FOREVER_MS, metricsMs: FOREVER_MS };

eachDatabase("forgetting by age", (open) => {
  const spools = makeSpools();
  afterAll(spools.remove);
  let opened: OpenedDatabase;
  beforeEach(async () => {
    opened ??= await open();
    await opened.database.query((sql) => sql`truncate requests, contents, metrics, histograms`, 30_000);
    const ledger = makeLedger({ database: opened.database, folder: spools.fresh() });
    for (const age of [0, 1, 13, 15, 40, 500]) {
      const record = makeRecord({ startedAt: new Date(now.getTime() - age * day) });
      keep(record, ledger);
    }
    await ledger.stop(10_000);
  });
  afterAll(() => opened?.close());

  async function count(what: string): Promise<number> {
    const [row] = await opened.database.query(
      (sql) => sql<{ count: number }[]>`select count(*)::int as count from ${sql.unsafe(what)}`,
      30_000,
    );
    return row?.count ?? 0;
  }
  const partitions = async () =>
    (
      await opened.database.query(
        (sql) => sql<{ name: string }[]>`select inhrelid::regclass::text as name from pg_inherits
          where inhparent in ('requests'::regclass, 'contents'::regclass) order by 1`,
        30_000,
      )
    ).map((row) => row.name);
  /** As it is a day after the first look. */
  const forgetAll = async (keeping: Keeping) => {
    await forget(opened.database, keeping, new Date(now.getTime() - day), silentLog);
    await forget(opened.database, keeping, now, silentLog);
  };

  test("texts go by day, requests by month, each by its own age, and their tables with them", async () => {
    await forgetAll({ ...forever, contentMs: 14 * day, requestsMs: 400 * day });
    // The day of the limit itself is kept whole.
    expect(await count("contents")).toBe(3);
    expect(await count("requests")).toBe(5);
    const left = await partitions();
    expect(left.filter((name) => name.startsWith("contents"))).toEqual([
      "contents_2026_11_12",
      "contents_2026_11_24",
      "contents_2026_11_25",
    ]);
    expect(left.filter((name) => name.startsWith("requests"))).toEqual([
      "requests_2026_10",
      "requests_2026_11",
    ]);
  });

  test("minutes are kept for 14 days, hours and days for ever", async () => {
    await forgetAll(forever);
    expect(await count("metrics where step = 'minute'")).toBe(3);
    expect(await count("histograms where step = 'minute'")).toBe(3);
    for (const step of ["hour", "day"]) expect(await count(`metrics where step = '${step}'`)).toBe(6);
    expect(await count("requests")).toBe(6);
    expect(await count("contents")).toBe(6);
  });

  test("metrics with an age of their own go by it", async () => {
    await forgetAll({ ...forever, metricsMs: 2 * day });
    expect(await count("metrics where step = 'hour'")).toBe(2);
    expect(await count("metrics where step = 'minute'")).toBe(2);
    expect(await count("histograms where step = 'day'")).toBe(2);
  });

  test("nothing goes that was not too old a day ago: neither by a clock that jumped ahead nor by a setting that was changed", async () => {
    const keeping = { ...forever, contentMs: 14 * day, requestsMs: 400 * day };
    const far = new Date(now.getTime() + 5000 * day);
    await forget(opened.database, keeping, far, silentLog);
    await forget(opened.database, keeping, new Date(far.getTime() + day / 2), silentLog);
    expect(await count("contents")).toBe(6);
    // The clock is right again: what it said meanwhile counts no more.
    await forget(opened.database, keeping, now, silentLog);
    expect(await count("contents")).toBe(6);
    // And once more ahead: what is too old by both goes.
    await forget(opened.database, keeping, far, silentLog);
    expect(await count("contents")).toBe(3);
    expect(await count("requests")).toBe(5);
  });

  test("texts go with their requests, where those are kept for a shorter time", async () => {
    await forgetAll({ ...forever, requestsMs: 14 * day });
    expect(await count("contents")).toBe(3);
  });

  test("records of a clock that was never set, or is centuries off, share a partition, and count as of its first day or last", async () => {
    const before = await partitions();
    const ledger = makeLedger({ database: opened.database, folder: spools.fresh() });
    const odd = ["1970-01-01T00:00:03Z", "1970-03-01T00:00:00Z", "1999-12-31T00:00:00Z"];
    for (const time of [...odd, "2200-05-05T00:00:00Z", "9999-01-01T00:00:00Z"])
      keep(makeRecord({ startedAt: new Date(time) }), ledger);
    await ledger.stop(10_000);
    expect(ledger.standing()).toMatchObject({ stored: 5, setAside: 0 });
    expect((await partitions()).filter((name) => !before.includes(name))).toEqual([
      "contents_2020_01_01",
      "contents_2099_12_31",
      "requests_2020_01",
      "requests_2099_12",
    ]);
    await forget(opened.database, { ...forever, contentMs: 14 * day }, now, silentLog);
    expect(await count("contents where started_at < '2020-01-02'")).toBe(3);
    await opened.database.query((sql) => sql`drop table contents_2099_12_31, requests_2099_12`, 30_000);
  });

  test("a record of a day that was forgotten is kept all the same when it comes late", async () => {
    await forgetAll({ ...forever, contentMs: day, requestsMs: day });
    const ledger = makeLedger({ database: opened.database, folder: spools.fresh() });
    const late = makeRecord({ startedAt: new Date(now.getTime() - 40 * day) });
    keep(late, ledger);
    await ledger.stop(10_000);
    expect(ledger.standing()).toMatchObject({ stored: 1, setAside: 0 });
  });
});
