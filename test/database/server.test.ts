/** A PostgreSQL server that is not there, goes away, or is not good enough. */
import { expect, test } from "bun:test";
import { openDatabase } from "../../src/database/database";
import { tooOld } from "../../src/database/server";
import { silentLog } from "../../src/log";
import { describeOwnServer, untilUp } from "../support/databases";

describeOwnServer("a PostgreSQL server", (server) => {
  async function opened(url: string, heartbeatMs = 100) {
    const database = openDatabase({
      where: { kind: "server", url },
      log: silentLog,
      migrations: [],
      heartbeatMs,
    });
    database.start();
    await database.firstAttempt;
    return database;
  }

  test("that is away at the start is waited for, and used when it comes", async () => {
    const cluster = await server();
    const url = await cluster.createDatabase();
    await cluster.kill9();
    const database = openDatabase({ where: { kind: "server", url }, log: silentLog, migrations: [] });
    database.start();
    let settled = false;
    database.firstAttempt.finally(() => {
      settled = true;
    });
    await Bun.sleep(400);
    expect(database.state).toBe("away");
    expect(database.why).toMatch(/^nothing answers there/);
    expect(settled).toBe(false);
    await cluster.restart();
    await database.firstAttempt;
    expect(await database.query((sql) => sql`select 1 as one`, 30_000)).toMatchObject([{ one: 1 }]);
    await database.stop();
  });

  test("that is killed in mid-work fails that work, is away though nobody asks, and comes back", async () => {
    const cluster = await server();
    const database = await opened(await cluster.createDatabase());
    const works = [
      database.query((sql) => sql`select pg_sleep(20)`, 30_000),
      database.transaction(async (sql) => {
        for (;;) await sql`select 1`;
      }, 30_000),
    ].map((work) => work.catch((thrown: unknown) => thrown));
    await Bun.sleep(100);
    await cluster.kill9();
    for (const work of works) expect(await work).toMatchObject({ code: "database_away" });
    expect(database.state).toBe("away");
    await cluster.restart();
    await untilUp(database);
    await database.query((sql) => sql`select 1`, 30_000);
    await database.stop();
  });

  test("that dies while nobody asks is noticed", async () => {
    const cluster = await server();
    const database = await opened(await cluster.createDatabase());
    await cluster.kill9();
    while (database.state !== "away") await Bun.sleep(5);
    await cluster.restart();
    await untilUp(database);
    await database.stop();
  });

  test("that accepts and never answers costs the caller its deadline and no more", async () => {
    const cluster = await server();
    const database = await opened(await cluster.createDatabase(), 60_000);
    cluster.pause();
    const error = await database.query((sql) => sql`select 1`, 300).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "database_away",
      message: "Database connection failed: no answer within 300 ms",
    });
    expect(database.state).toBe("away");
    cluster.resume();
    await untilUp(database);
    await database.stop();
  });

  test("ends what we gave up waiting for", async () => {
    const cluster = await server();
    const database = await opened(await cluster.createDatabase());
    await database.query((sql) => sql`select pg_sleep(77)`, 200).catch(() => undefined);
    await untilUp(database);
    const left = () =>
      database.query(
        (sql) =>
          // To the letter: a pattern would find this very question, left standing on another of our connections.
          sql`select 1 from pg_stat_activity where query = 'select pg_sleep(77)'`,
        30_000,
      );
    const until = Date.now() + 30_000;
    while ((await left()).length > 0 && Date.now() < until) await Bun.sleep(100);
    expect(await left()).toBeEmpty();
    await database.stop();
  });

  test("that has its connections cut while idle is asked again at once", async () => {
    const cluster = await server();
    const url = await cluster.createDatabase();
    const database = await opened(url, 60_000);
    const other = await opened(cluster.url);
    await other.query(
      (sql) =>
        sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${new URL(url).pathname.slice(1)}`,
      30_000,
    );
    await Bun.sleep(100);
    await untilUp(database);
    expect(await database.query((sql) => sql`select 1 as one`, 30_000)).toMatchObject([{ one: 1 }]);
    await other.stop();
    await database.stop();
  });

  test("that refuses the password is away with its words, and the password is in none of ours", async () => {
    const cluster = await server();
    const lines: string[] = [];
    const write = (...words: unknown[]) => void lines.push(JSON.stringify(words));
    const log = { trace: write, debug: write, info: write, warn: write, error: write, fatal: write };
    const url = cluster.url.replace("not-to-be-seen", "wrong-and-secret");
    const database = openDatabase({ where: { kind: "server", url }, log, migrations: [] });
    database.start();
    const until = Date.now() + 30_000;
    while (database.state !== "away" && Date.now() < until) await Bun.sleep(10);
    expect(database.why).toBe('password authentication failed for user "postgres"');
    await database.stop();
    expect(lines.join("\n")).toContain("password authentication failed");
    expect(lines.join("\n")).not.toContain("secret");
  });

  test("with an address that can't be read stops the start, without showing the password", () => {
    const opening = () =>
      openDatabase({
        where: { kind: "server", url: "postgres://u:sec%ret@host/x" },
        log: silentLog,
        migrations: [],
      });
    expect(opening).toThrow("DATABASE_URL is");
    expect(opening).not.toThrow("sec%ret");
  });

  test("that something stands in for, accepting and closing, is away at once and not hammered", async () => {
    let connections = 0;
    const stranger = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          connections++;
          socket.end();
        },
        data: () => undefined,
      },
    });
    const url = `postgres://u:p@127.0.0.1:${stranger.port}/x`;
    const database = openDatabase({ where: { kind: "server", url }, log: silentLog, migrations: [] });
    database.start();
    while (database.state !== "away") await Bun.sleep(5);
    // Long enough for a thousand attempts.
    await Bun.sleep(700);
    expect(database.state).toBe("away");
    expect(database.why).toContain("closed");
    expect(connections).toBeLessThan(6);
    await database.stop();
    stranger.stop(true);
  });

  test("that takes no writes is away and says so", async () => {
    const cluster = await server();
    const url = await cluster.createDatabase();
    const admin = await opened(cluster.url);
    await admin.query(
      (sql) =>
        sql.unsafe(`alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = on`),
      30_000,
    );
    await admin.stop();
    const database = openDatabase({ where: { kind: "server", url }, log: silentLog, migrations: [] });
    database.start();
    const until = Date.now() + 30_000;
    while (database.state !== "away" && Date.now() < until) await Bun.sleep(10);
    expect(database.why).toMatch(/^it takes no writes/);
    await database.stop();
  });
});

test("a PostgreSQL server before version 14 is refused, naming its version", () => {
  expect(tooOld("13.11")).toMatchObject({ code: "database_too_old" });
  expect(tooOld("13.11").message).toMatch(/is version 13\.11: Corral needs 14 or later/);
});
