/** Three servers on one PostgreSQL: each keeps what it carried, and what is to be done once is done once. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { type Database, openDatabase } from "../../src/database/database";
import { type Migration, ownMigrations } from "../../src/database/migrations";
import { FOREVER_MS } from "../../src/duration";
import { forget } from "../../src/ledger/retention";
import { type Log, silentLog } from "../../src/log";
import { send } from "../api/calls";
import { eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { describeOwnServer } from "../support/databases";
import { scratchFolder } from "../support/scratch";
import { keep, makeLedger, makeRecord, makeSpools } from "./records";

const model = "sim-tokens2";
const environment = { CORRAL_SIMULATOR_MODELS: `${model}:latest` };

describeOwnServer("three servers on one database", (server) => {
  const folders = [0, 1, 2].map(() => scratchFolder("corral-several-"));
  let databaseUrl = "";
  let corrals: RunningCorral[] = [];
  let database: Database;

  const start = (folder: string) => startCorral({ databaseUrl, folder, environment });
  beforeAll(async () => {
    databaseUrl = await (await server()).createDatabase();
    corrals = await Promise.all(folders.map(start));
    database = await open();
  });
  afterAll(async () => {
    await database?.stop();
    await Promise.all(corrals.map((corral) => corral.stop()));
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  async function open(migrations: readonly Migration[] = ownMigrations()): Promise<Database> {
    const opened = openDatabase({ where: { kind: "server", url: databaseUrl }, log: silentLog, migrations });
    opened.start();
    await opened.firstAttempt;
    return opened;
  }
  const say = async (corral: RunningCorral, prompt = "hello") =>
    (await send("POST", `${corral.url}/api/chat`, { model, prompt })).text();
  async function ask(text: string): Promise<unknown> {
    const rows = await database.query((sql) => sql.unsafe(text), 30_000);
    return Object.values(rows[0] ?? {})[0];
  }
  const rows = () => ask("select count(*)::int from requests");
  const third = () => corrals[2] ?? expect.unreachable();

  test("that start at the same moment on an empty one all come up, each migration is applied once, and rows name their server", async () => {
    const applied = corrals.flatMap((corral) => corral.logged().match(/migration applied/g) ?? []);
    expect(applied).toHaveLength(ownMigrations().length);
    await Promise.all(
      corrals.map((corral, at) => Promise.all(Array.from({ length: 5 + at }, () => say(corral)))),
    );
    await eventually(rows, (found) => found === 18);
    expect(
      await ask(
        "select array_agg(n order by n) from (select count(*)::int as n from requests group by server) as s",
      ),
    ).toEqual([5, 6, 7]);
    for (const corral of corrals)
      expect(await getJson(`${corral.url}/api/stats/current`)).toMatchObject({ total_requests: 18 });
    const stored = await Promise.all(corrals.map((corral) => getJson(`${corral.url}/api/ledger`)));
    expect(stored).toMatchObject([{ stored: 5 }, { stored: 6 }, { stored: 7 }]);
  });

  test("one of which is killed while the database is away lose nothing: its next start stores what it had", async () => {
    const postgres = await server();
    postgres.pause();
    await Promise.all(
      corrals.flatMap((corral) => [say(corral, "while it was away"), say(corral, "while it was away")]),
    );
    third().process.kill("SIGKILL");
    await third().ended();
    postgres.resume();
    corrals[2] = await start(third().folder);
    await eventually(rows, (found) => found === 24);
    expect(await getJson(`${third().url}/api/ledger`)).toMatchObject({ stored: 9, spooled: 0 });
    expect(await ask("select sum(requests)::int from metrics where step = 'day'")).toBe(24);
  });

  test("one of which deletes while all write: each row is counted or there, whoever's it is", async () => {
    let deleted = 0;
    const writing = corrals.map(async (corral) => {
      for (let at = 0; at < 15; at++) await say(corral);
    });
    for (const query of ["", `?model=${model}`, "?before=2100-01-01T00:00:00Z"]) {
      await Bun.sleep(100);
      const response = await send("DELETE", `${third().url}/api/data/logs${query}`);
      expect(response.status).toBe(200);
      deleted += ((await response.json()) as { rows_deleted: number }).rows_deleted;
    }
    await Promise.all(writing);
    await eventually(rows, (found) => deleted + Number(found) === 24 + 45);
    expect(deleted).toBeGreaterThanOrEqual(24);
    expect(await ask("select sum(requests)::int from metrics where step = 'day'")).toBe(69);
    const more = corrals.map(async (corral) => {
      for (let at = 0; at < 15; at++) await say(corral);
    });
    for (let at = 0; at < 5; at++) {
      const response = await send("DELETE", `${third().url}/api/data/metrics?model=${model}`);
      expect(response.status).toBe(200);
    }
    await Promise.all(more);
    expect(await ask("select deadlocks::int from pg_stat_database where datname = current_database()")).toBe(
      0,
    );
    for (const corral of corrals) {
      const standing = await eventually(
        async () => (await getJson(`${corral.url}/api/ledger`)) as { in_flight: number; spooled: number },
        ({ in_flight, spooled }) => in_flight === 0 && spooled === 0,
      );
      expect(standing).toMatchObject({ set_aside: 0 });
      expect(corral.logged()).not.toContain("can't be stored now");
    }
  });

  test("forget by age together, each partition once", async () => {
    const spools = makeSpools();
    const now = new Date("2025-06-15T00:00:00Z");
    const ledger = makeLedger({ database, folder: spools.fresh() });
    for (let day = 1; day < 10; day++)
      keep(makeRecord({ startedAt: new Date(Date.UTC(2025, 4, day)) }), ledger);
    await ledger.stop(10_000);
    spools.remove();
    const dropped: unknown[] = [];
    const log: Log = { ...silentLog, info: (fields: unknown) => void dropped.push(fields) };
    const others = await Promise.all([open(), open()]);
    const keeping = { contentMs: 30 * 86_400_000, requestsMs: FOREVER_MS, metricsMs: FOREVER_MS };
    for (const at of [now.getTime() - 86_400_000, now.getTime()])
      await Promise.all([database, ...others].map((one) => forget(one, keeping, new Date(at), log)));
    expect(dropped).toHaveLength(9);
    expect(await ask("select count(*)::int from contents where started_at < '2025-06-01'")).toBe(0);
    await Promise.all(others.map((one) => one.stop()));
  });

  test("of which one is newer: an older one that runs goes on, and says what is wrong when it would have to begin anew", async () => {
    const newer = [
      ...ownMigrations(),
      { number: ownMigrations().length + 1, name: "next", text: "select 1" },
    ];
    const older = await open();
    await (await open(newer)).stop();
    expect(await older.query((sql) => sql`select 1 as one`, 30_000)).toMatchObject([{ one: 1 }]);
    await say(third());
    await eventually(
      () => getJson(`${third().url}/api/ledger`),
      (standing) => (standing as { spooled: number }).spooled === 0,
    );
    await expect(open()).rejects.toMatchObject({ code: "database_newer" });
    await (await server()).restart();
    await eventually(
      async () => older.why,
      (why) => why?.includes("a newer Corral has used it") === true,
      30_000,
    );
    await older.stop();
    const health = await eventually(
      () => getJson(`${third().url}/api/health`),
      (found) => String((found as { message: string }).message).includes("a newer Corral has used it"),
      30_000,
    );
    expect(health).toMatchObject({ status: "degraded" });
    await say(third());
    expect(await getJson(`${third().url}/api/ledger`)).toMatchObject({ spooled: 1 });
    const mended = await open(newer);
    await mended.query((sql) => sql`delete from corral_migrations where name = 'next'`, 30_000);
    await mended.stop();
    await eventually(
      () => getJson(`${third().url}/api/ledger`),
      (standing) => (standing as { spooled: number }).spooled === 0,
      30_000,
    );
  });
});
