/** The embedded database: what makes it one that can be trusted. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import postgres from "postgres";
import { version } from "../../node_modules/@electric-sql/pglite/package.json";
import { openDatabase } from "../../src/database/database";
import { silentLog } from "../../src/log";
import { eventually } from "../support/corral";
import { embeddedCommand, embeddedPlace, type Place, untilUp } from "../support/databases";

setDefaultTimeout(90_000);

const places: Place[] = [];
afterAll(() => {
  for (const place of places.splice(0)) place.remove();
});

async function freshPlace() {
  const place = await embeddedPlace();
  places.push(place);
  if (place.where.kind !== "embedded") throw new Error("not embedded");
  return place.where;
}

const kept = [{ number: 1, name: "kept", text: "create table kept (id int primary key, text text)" }];

// At once: most of it is waiting.
describe.concurrent("the embedded database", () => {
  test("loses no acknowledged row when its process is killed in mid-work", async () => {
    const database = openDatabase({ where: await freshPlace(), log: silentLog, migrations: kept });
    database.start();
    await database.firstAttempt;
    const acknowledged = new Set<number>();
    let next = 0;
    let writing = true;
    const writers = Array.from({ length: 4 }, async () => {
      while (writing) {
        const id = next++;
        try {
          await database.transaction(
            (sql) => sql`insert into kept values (${id}, ${"x".repeat(500)})`,
            30_000,
          );
          acknowledged.add(id);
        } catch {
          await Bun.sleep(20);
        }
      }
    });
    for (let kill = 0; kill < 3; kill++) {
      const enough = acknowledged.size + 20;
      while (acknowledged.size < enough) await Bun.sleep(5);
      await Bun.sleep(Math.random() * 200);
      if (database.pid !== null) process.kill(database.pid, "SIGKILL");
      while (database.state === "up") await Bun.sleep(5);
      await untilUp(database, 40_000);
    }
    writing = false;
    await Promise.all(writers);
    const rows = await database.query((sql) => sql<{ id: number }[]>`select id from kept`, 30_000);
    const found = new Set(rows.map((row) => row.id));
    expect(acknowledged.size).toBeGreaterThanOrEqual(60);
    expect([...acknowledged].filter((id) => !found.has(id))).toBeEmpty();
    await database.stop();
  });

  test("is restarted when it is stuck, and lets others wait for one that is just slow", async () => {
    const database = openDatabase({
      where: await freshPlace(),
      log: silentLog,
      migrations: kept,
      heartbeatMs: 60_000,
    });
    database.start();
    await database.firstAttempt;
    const first = database.pid;
    // Slow is not stuck: the deadline of another that waits says "busy", and nothing is restarted.
    const slow = database.query((sql) => sql`select count(*) as n from generate_series(1, 3000000)`, 30_000);
    const impatient = await database.query((sql) => sql`select 1`, 50).catch((thrown: unknown) => thrown);
    expect(impatient).toMatchObject({
      code: "database_away",
      message: expect.stringContaining("it is busy"),
    });
    expect(await slow).toMatchObject([{ n: 3_000_000 }]);
    expect(database.state).toBe("up");
    expect(database.pid).toBe(first);
    // Frozen: no answer to its own deadline.
    if (first !== null) process.kill(first, "SIGSTOP");
    const stuck = await database.query((sql) => sql`select 1`, 200).catch((thrown: unknown) => thrown);
    expect(stuck).toMatchObject({ message: "Database connection failed: no answer within 200 ms" });
    expect(database.state).toBe("away");
    await untilUp(database);
    expect(database.pid).not.toBe(first);
    await database.stop();
  });

  test("takes checkpoints by itself, so that its log can be let go of, and vacuums", async () => {
    const where = await freshPlace();
    const database = openDatabase({
      where,
      log: silentLog,
      migrations: kept,
      heartbeatMs: 50,
      checkpointEveryMs: 100,
      vacuumEveryMs: 500,
    });
    database.start();
    await database.firstAttempt;
    const at = async () => {
      const [row] = await database.query(
        (sql) => sql`select checkpoint_lsn::text as lsn from pg_control_checkpoint()`,
        30_000,
      );
      return row?.lsn;
    };
    const seen = new Set([await at()]);
    while (seen.size <= 4) {
      await database.query(
        (sql) => sql`
          insert into kept select i, repeat(md5(i::text), 60) from generate_series(1, 1000) as i
          on conflict (id) do update set text = excluded.text`,
        30_000,
      );
      await Bun.sleep(100);
      seen.add(await at());
    }
    await eventually(
      async () => {
        const [table] = await database.query(
          (sql) => sql`select last_vacuum, last_analyze from pg_stat_all_tables where relname = 'kept'`,
          30_000,
        );
        return [table?.last_vacuum, table?.last_analyze];
      },
      (times) => times.every((time) => time instanceof Date),
    );
    await database.stop();
  });

  test("that can't be started says why, is given up after five times, and is stopped all the same", async () => {
    const where = { ...(await freshPlace()), folder: "/dev/null/database" };
    const database = openDatabase({ where, log: silentLog, migrations: kept });
    database.start();
    const until = Date.now() + 30_000;
    while (!database.why?.includes("5 times in a row") && Date.now() < until) await Bun.sleep(20);
    expect(database.state).toBe("away");
    expect(database.why).toMatch(
      /no more restarts until asked.*the lock \/dev\/null\/database\.lock can't be opened/,
    );
    await database.stop();
    expect(database.pid).toBeNull();
    expect(database.why).toBe("it is stopped");
  });

  test("leaves nothing behind when it is stopped, and has no work to redo at the next start", async () => {
    const where = await freshPlace();
    const database = openDatabase({ where, log: silentLog, migrations: kept });
    database.start();
    await database.firstAttempt;
    const pid = database.pid;
    const [row] = await database.query((sql) => sql`select current_setting('fsync') as fsync`, 30_000);
    expect(row?.fsync).toBe("on");
    await database.stop();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    const control = new Uint8Array(await Bun.file(join(where.folder, "global/pg_control")).arrayBuffer());
    // ControlFileData.state, the fifth of its words: 1 is DB_SHUTDOWNED (pg_control.h).
    expect(new DataView(control.buffer).getUint32(16, true)).toBe(1);
  });
});

describe.concurrent("the embedded database's process", () => {
  function started(folder: string) {
    const socket = join(dirname(folder), `socket-${crypto.randomUUID().slice(0, 8)}`, "db");
    Bun.spawnSync(["mkdir", "-m", "700", dirname(socket)]);
    const child = Bun.spawn([...embeddedCommand(), folder, socket], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    const said: string[] = [];
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stdout) said.push(decoder.decode(chunk));
    })();
    return {
      child,
      socket,
      said: () => said.join(""),
      reading,
      async hears(word: string) {
        const until = Date.now() + 50_000;
        while (!said.join("").includes(word)) {
          if (Date.now() > until) throw new Error(`it never said ${word}: ${said.join("")}`);
          await Bun.sleep(5);
        }
      },
    };
  }
  const client = (path: string) =>
    postgres({
      host: "localhost",
      path,
      user: "postgres",
      password: "",
      database: "postgres",
      max: 1,
      onnotice: () => undefined,
    });

  test("syncs every commit to the disk", async () => {
    const { folder } = await freshPlace();
    const syncs = async (commits: number) => {
      const it = started(folder);
      await it.hears("ready");
      const sql = client(it.socket);
      await sql`create table if not exists synced (n int)`;
      for (let n = 0; n < commits; n++) await sql`insert into synced values (${n})`;
      await sql.end();
      it.child.kill("SIGTERM");
      await it.child.exited;
      await it.reading;
      return Number(/closed (\d+) syncs/.exec(it.said())?.[1]);
    };
    await syncs(50);
    const some = await syncs(50);
    // Start and end have some too, a few more or less each time.
    expect(await syncs(250)).toBeGreaterThanOrEqual(some + 190);
  });

  test("ends when its parent's pipe does, and takes its socket's folder with it", async () => {
    const { folder } = await freshPlace();
    const it = started(folder);
    await it.hears("ready");
    it.child.stdin.end();
    await it.child.exited;
    expect(existsSync(dirname(it.socket))).toBe(false);
  });

  test("leaves alone what else is in the folder of its socket", async () => {
    const { folder } = await freshPlace();
    const shared = mkdtempSync(join(tmpdir(), "corral-shared-"));
    try {
      writeFileSync(join(shared, "precious"), "");
      const child = Bun.spawn([...embeddedCommand(), folder, join(shared, "db")], {
        stdin: "ignore",
        stdout: "ignore",
      });
      await child.exited;
      expect(readdirSync(shared)).toEqual(["precious"]);
    } finally {
      rmSync(shared, { recursive: true, force: true });
    }
  });

  test("refuses a folder that another has, naming it", async () => {
    const { folder } = await freshPlace();
    const first = started(folder);
    await first.hears("ready");
    const second = started(folder);
    await second.hears("failed");
    expect(second.said()).toContain(`is in use by pid ${first.child.pid}, the embedded database`);
    expect(await second.child.exited).toBe(1);
    // The first is none the worse.
    const sql = client(first.socket);
    expect(await sql`select 1 as one`).toMatchObject([{ one: 1 }]);
    await sql.end();
    first.child.kill("SIGTERM");
    await first.child.exited;
  });

  test("is shipped with an empty database that this version of PGlite made", () => {
    const shipped = readdirSync(join(import.meta.dir, "../../src/database/embedded")).filter((name) =>
      name.endsWith(".tar.zst"),
    );
    // Another version: run test/support/make-empty-database.ts.
    expect(shipped).toEqual([`empty-${version}.tar.zst`]);
  });

  test("makes a new database whole or not at all: killed in the middle, the next start makes it", async () => {
    const place = await freshPlace();
    const folder = join(dirname(place.folder), "new");
    for (let isKilledInTime = false; !isKilledInTime; ) {
      const first = started(folder);
      // Files are there, and not all of them are.
      while (!existsSync(join(`${folder}.unfinished`, "PG_VERSION")) && !existsSync(folder))
        await Bun.sleep(1);
      first.child.kill("SIGKILL");
      await first.child.exited;
      isKilledInTime = !existsSync(folder);
      // It was quicker than we looked: once more.
      if (!isKilledInTime) rmSync(folder, { recursive: true });
    }
    const second = started(folder);
    await second.hears("ready");
    expect(
      readdirSync(dirname(folder))
        .filter((name) => name.startsWith("new"))
        .sort(),
    ).toEqual(["new", "new.lock"]);
    second.child.kill("SIGTERM");
    await second.child.exited;
  });
});
