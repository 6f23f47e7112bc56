/** A deletion that is narrowed takes what it says, counts it, gives its space back, and keeps the rest. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import type { Ledger } from "../../src/ledger/ledger";
import { eventually } from "../support/corral";
import { eachDatabase, type OpenedDatabase } from "../support/databases";
import { keep, makeLedger, makeRecord, makeSpools } from "./records";

const nothing = { before: null, model: null };

eachDatabase("a narrowed deletion", (open, kind) => {
  const spools = makeSpools();
  afterAll(spools.remove);
  let opened: OpenedDatabase;
  let ledger: Ledger;
  beforeEach(async () => {
    await ledger?.stop(0);
    opened ??= await open();
    await opened.database.query((sql) => sql`truncate requests, contents, metrics, histograms`, 30_000);
    ledger = makeLedger({ database: opened.database, folder: spools.fresh() });
  });
  afterAll(async () => {
    await ledger?.stop(0);
    await opened?.close();
  });

  async function ask<T>(text: string): Promise<T | undefined> {
    const rows = await opened.database.query((sql) => sql.unsafe(text), 30_000);
    return Object.values(rows[0] ?? {})[0] as T | undefined;
  }
  const count = (what: string) => ask<number>(`select count(*)::int from ${what}`);
  const at = (time: string, model = "llama3.2") =>
    keep(makeRecord({ startedAt: new Date(time), model }), ledger);

  const bytes = () => ask<number>("select pg_database_size(current_database())::float8");
  /** Stores 3500 requests of a model with their texts. */
  async function fill(): Promise<void> {
    await opened.database.query(
      (sql) => sql`
        insert into requests (id, started_at, server, dialect, operation, model, stream, outcome, latency_ms)
        select gen_random_uuid(), '2026-11-10'::timestamptz + n * interval '7.000001 seconds', gen_random_uuid(),
          'ollama.chat', 'chat', 'mistral', true, 'complete', 1
        from generate_series(1, 3500) as n`,
      30_000,
    );
    await opened.database.query(
      (sql) => sql`
        insert into contents (request_id, started_at, prompt)
        select id, started_at, (select string_agg(md5(id::text || n), '') from generate_series(1, 60) as n)
        from requests where model = 'mistral'`,
      30_000,
    );
  }

  test("by time takes what began before it, to the moment, in whole partitions and in the one it falls into", async () => {
    for (const time of [
      "2026-09-30T23:59:59.999Z",
      "2026-10-01T00:00:00Z",
      "2026-11-09T10:00:00Z",
      "2026-11-10T11:59:59.999Z",
      "2026-11-10T12:00:00Z",
      "2026-11-11T00:00:00Z",
    ])
      at(time);
    const before = new Date("2026-11-10T12:00:00Z");
    expect(await ledger.clear("logs", { before, model: null })).toEqual({ logs: 4, metrics: 0 });
    expect(await ask("select min(started_at)::text from requests")).toBe("2026-11-10 12:00:00+00");
    expect(await count("requests")).toBe(2);
    expect(await count("contents")).toBe(2);
    expect(await ask("select min(started_at)::text from contents")).toBe("2026-11-10 12:00:00+00");
    expect(await count("metrics where step = 'day'")).toBe(5);
    expect(await ledger.clear("logs", { before, model: null })).toEqual({ logs: 0, metrics: 0 });
  });

  test("by model takes its requests, texts and metrics alone", async () => {
    for (const model of ["llama3.2", "mistral", "mistral"]) at("2026-11-10T12:00:00Z", model);
    at("2026-10-10T12:00:00Z", "mistral");
    // Sums and histograms of the minute, the quarter of an hour, the hour and the day, for each of two moments.
    expect(await ledger.clear("all", { before: null, model: "mistral" })).toEqual({ logs: 3, metrics: 16 });
    for (const table of ["requests", "metrics", "histograms"])
      expect(await count(`${table} where model <> 'llama3.2'`)).toBe(0);
    expect(await count("contents")).toBe(1);
    expect(await count("metrics")).toBe(4);
    expect(await ledger.clear("all", nothing)).toEqual({ logs: 1, metrics: 8 });
  });

  test("of metrics leaves the minute, the hour and the day whole that the moment falls into", async () => {
    for (const time of ["2026-11-09T12:00:00Z", "2026-11-10T11:10:00Z", "2026-11-10T12:10:00Z"]) at(time);
    at("2026-11-10T12:20:30Z");
    const before = new Date("2026-11-10T12:20:40Z");
    await ledger.clear("metrics", { before, model: null });
    const left = async (step: string) =>
      ask(`select array_agg(time::text order by time) from metrics where step = '${step}'`);
    expect(await left("minute")).toEqual(["2026-11-10 12:20:00+00"]);
    expect(await left("quarter_hour")).toEqual(["2026-11-10 12:15:00+00"]);
    expect(await left("hour")).toEqual(["2026-11-10 12:00:00+00"]);
    expect(await left("day")).toEqual(["2026-11-10 00:00:00+00"]);
    expect(await ask("select sum(requests)::int from metrics where step = 'day'")).toBe(3);
    expect(await count("histograms")).toBe(4);
  });

  test("gives the space back, in slices that let records in, which stay", async () => {
    at("2026-11-10T12:00:00Z");
    await ledger.clear("all", nothing);
    at("2026-11-10T12:00:00Z", "kept");
    await ledger.stop(5000);
    ledger = makeLedger({ database: opened.database, folder: spools.fresh() });
    await fill();
    const full = (await bytes()) ?? 0;
    const clearing = ledger.clear("logs", { before: null, model: "mistral" });
    at("2026-11-10T13:00:00Z", "new");
    expect(await clearing).toEqual({ logs: 3500, metrics: 0 });
    await ledger.stop(5000);
    expect(await ask("select array_agg(model order by model) from requests")).toEqual(["kept", "new"]);
    expect(await count("contents")).toBe(2);
    expect(full - ((await bytes()) ?? 0)).toBeGreaterThan(5_000_000);
    ledger = makeLedger({ database: opened.database, folder: spools.fresh() });
  });

  // On the embedded one there is nobody else.
  if (kind === "server") {
    test.each(["the same", "another"])(
      "gives the space back of what somebody who was at work before in %s database may still look at",
      async (which) => {
        await fill();
        const full = (await bytes()) ?? 0;
        // A snapshot counts what runs in all databases of a server.
        const other = await open(which === "the same" ? { where: opened.where } : {});
        const begun = Promise.withResolvers<void>();
        const storing = other.database.transaction(async (sql) => {
          await sql`select pg_current_xact_id()`;
          begun.resolve();
          await eventually(
            () => count("requests"),
            (left) => left === 0,
          );
          await Bun.sleep(500);
        }, 60_000);
        await begun.promise;
        expect(await ledger.clear("logs", { before: null, model: "mistral" })).toEqual({
          logs: 3500,
          metrics: 0,
        });
        await storing;
        expect(full - ((await bytes()) ?? 0)).toBeGreaterThan(5_000_000);
        await other.close();
      },
    );

    test("beside a backup that goes on deletes, and lets nobody wait who reads", async () => {
      await fill();
      const other = await open({ where: opened.where });
      const begun = Promise.withResolvers<void>();
      const over = Promise.withResolvers<void>();
      const backup = other.database.transaction(async (sql) => {
        await sql`set transaction isolation level repeatable read`;
        await sql`select count(*) from requests`;
        begun.resolve();
        await over.promise;
      }, 60_000);
      await begun.promise;
      let isCleared = false;
      let waited = 0;
      const clearing = ledger.clear("logs", { before: null, model: "mistral" }).finally(() => {
        isCleared = true;
      });
      while (!isCleared) {
        // Whoever reads stands behind it in the row.
        waited +=
          (await ask<number>(
            "select count(*)::int from pg_locks join pg_database on pg_database.oid = database where datname = current_database() and not granted and mode = 'AccessExclusiveLock'",
          )) ?? 0;
        await Bun.sleep(20);
      }
      expect(await clearing).toEqual({ logs: 3500, metrics: 0 });
      expect(waited).toBe(0);
      over.resolve();
      await backup;
      await other.close();
    });

    test("of all is refused while a backup reads, which keeps no record of a new day from being stored", async () => {
      at("2026-11-10T12:00:00Z");
      expect(await ledger.clear("logs", { before: new Date(0), model: null })).toEqual({
        logs: 0,
        metrics: 0,
      });
      const other = await open({ where: opened.where });
      await other.database.transaction(async (sql) => {
        await sql`select count(*) from requests, contents, metrics, histograms`;
        await expect(ledger.clear("all", nothing)).rejects.toMatchObject({ code: "conflict" });
        at("2027-01-01T12:00:00Z");
        const stored = async () => ledger.standing().stored;
        await eventually(stored, (found) => found === 2);
      }, 30_000);
      await other.close();
      expect(await ledger.clear("all", nothing)).toMatchObject({ logs: 2 });
    });
  }
});
