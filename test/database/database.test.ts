/** What everybody else may rely on, on both databases. */
import { afterAll, expect, test } from "bun:test";
import postgres from "postgres";
import { Failure } from "../../src/errors";
import { eachDatabase, type OpenedDatabase, untilUp } from "../support/databases";

const things = [
  { number: 1, name: "things", text: "create table things (id bigint primary key, name text not null)" },
];

eachDatabase("a database", (open, kind) => {
  // One for all sentences: starting one for each takes a second each.
  let shared: OpenedDatabase | null = null;
  afterAll(() => shared?.close());

  async function opened(use: (it: OpenedDatabase) => Promise<void>): Promise<void> {
    shared ??= await open({ migrations: things });
    await untilUp(shared.database);
    await shared.database.query((sql) => sql`truncate things`, 30_000);
    await use(shared);
  }

  test("answers with numbers for int8, dates for timestamps, arrays for arrays, in UTC", () =>
    opened(async ({ database }) => {
      const [row] = await database.query(
        (sql) =>
          sql`select 42::bigint as n, 9007199254740993::bigint as big, '2026-01-02 03:04:05+00'::timestamptz as at,
            array['a','b'] as list, current_setting('TimeZone') as zone`,
        30_000,
      );
      expect(row).toEqual({
        n: 42,
        big: 9007199254740993n,
        at: new Date("2026-01-02T03:04:05Z"),
        list: ["a", "b"],
        zone: "UTC",
      });
    }));

  test("takes arrays and gives them back as they were", () =>
    opened(async ({ database }) => {
      const texts = ["plain", "", "NULL", 'a "quote", a comma', "a \\ and {braces}", "two\nlines", null];
      const [row] = await database.query(
        (sql) => sql`
          select ${texts}::text[] as texts, ${[]}::text[] as none, ${[1, -2, null]}::int[] as ints, ${[1, 2]}::int8[] as longs,
            array[true, false] as flags, array[0.5, 'NaN']::float8[] as floats,
            array['2026-01-02 03:04:05+00'::timestamptz] as times,
            ${["0191e0f0-0000-7000-8000-000000000000"]}::uuid[] as ids,
            array['{"a": [1, "x,y"]}'::jsonb] as documents, 2 = any(${[1, 2]}::int[]) as found`,
        30_000,
      );
      expect(row).toEqual({
        texts,
        none: [],
        ints: [1, -2, null],
        longs: [1, 2],
        flags: [true, false],
        floats: [0.5, Number.NaN],
        times: [new Date("2026-01-02T03:04:05Z")],
        ids: ["0191e0f0-0000-7000-8000-000000000000"],
        documents: [{ a: [1, "x,y"] }],
        found: true,
      });
    }));

  test("undoes a transaction whose work throws, and hands on what it threw", () =>
    opened(async ({ database }) => {
      const work = database.transaction(async (sql) => {
        await sql`insert into things values (1, 'one')`;
        throw new Error("changed my mind");
      }, 30_000);
      expect(work).rejects.toThrow("changed my mind");
      await work.catch(() => undefined);
      expect(await database.query((sql) => sql`select * from things`, 30_000)).toBeEmpty();
    }));

  test("never says that it kept what a swallowed error undid", () =>
    opened(async ({ database }) => {
      const work = database.transaction(async (sql) => {
        await sql`insert into things values (1, 'one')`;
        await sql`select 1 / 0`.catch(() => undefined);
      }, 30_000);
      expect(work).rejects.toThrow("nothing was kept");
      await work.catch(() => undefined);
    }));

  test("lets nobody use a connection after the work with it is over", () =>
    opened(async ({ database }) => {
      const sql = await database.query(async (sql) => ({ late: () => sql`select 1` }), 30_000);
      expect(sql.late).toThrow("is over");
    }));

  test("keeps a transaction whose work is done", () =>
    opened(async ({ database }) => {
      const answer = await database.transaction(async (sql) => {
        await sql`insert into things ${sql([
          { id: 1, name: "one" },
          { id: 2, name: "two" },
        ])}`;
        return ["an", "array"];
      }, 30_000);
      expect(answer).toEqual(["an", "array"]);
      expect(await database.query((sql) => sql`select count(*) as n from things`, 30_000)).toMatchObject([
        { n: 2 },
      ]);
    }));

  test("hands on PostgreSQL's own error of a statement, and stays up", () =>
    opened(async ({ database }) => {
      const error = await database
        .query((sql) => sql`insert into things values (1, null)`, 30_000)
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(postgres.PostgresError);
      expect(error).toMatchObject({ code: "23502" });
      expect(database.state).toBe("up");
      await database.query((sql) => sql`select 1`, 30_000);
    }));

  test("lets many ask at once, and mixes nobody's answers up", () =>
    opened(async ({ database }) => {
      const asked = Array.from({ length: 100 }, (_, n) =>
        n % 3 === 0
          ? database.transaction((sql) => sql`select ${n}::int as n`, 30_000)
          : database.query((sql) => sql`select ${n}::int as n`, 30_000),
      );
      const answers = (await Promise.all(asked)).map(([row]) => row?.n);
      expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => n));
    }));

  test("gives up a query at its deadline, is away, and comes back by itself", () =>
    opened(async ({ database }) => {
      const slow = await database
        .query((sql) => sql`select count(*) from generate_series(1, 2000000000)`, 300)
        .catch((thrown: unknown) => thrown);
      expect(slow).toMatchObject({
        code: "database_away",
        message: "Database connection failed: no answer within 300 ms",
      });
      expect(database.state).toBe("away");
      expect(database.why).toBe("no answer within 300 ms");
      await untilUp(database);
      expect(await database.query((sql) => sql`select 1 as one`, 30_000)).toMatchObject([{ one: 1 }]);
    }));

  test("fails at once while it is away, in the contract's words", () =>
    opened(async ({ database }) => {
      await database
        .query((sql) => sql`select count(*) from generate_series(1, 2000000000)`, 100)
        .catch(() => undefined);
      const error = await database.query((sql) => sql`select 1`, 30_000).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Failure);
      expect(error).toMatchObject({ code: "database_away", status: 500 });
      await untilUp(database);
    }));

  test("leaves nothing usable to a work that was given up: its tag refuses", () =>
    opened(async ({ database }) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      await database
        .transaction(async (sql) => {
          await Bun.sleep(300);
          resolve(
            await Promise.resolve()
              .then(() => sql`select 1`)
              .catch((thrown: unknown) => thrown),
          );
        }, 100)
        .catch(() => undefined);
      expect(await promise).toMatchObject({ code: "database_away" });
      await untilUp(database);
    }));

  test("does a job alone", () =>
    opened(async ({ database, where }) => {
      if (kind === "embedded") {
        expect(await database.alone("tidy", async (sql) => void (await sql`select 1`))).toBe(true);
        return;
      }
      const second = await open({ where, migrations: things });
      let inside = 0;
      const gate = Promise.withResolvers<void>();
      const first = database.alone("tidy", async () => {
        inside++;
        await gate.promise;
      });
      while (inside === 0) await Bun.sleep(5);
      expect(await second.database.alone("tidy", async () => void inside++)).toBe(false);
      expect(await second.database.alone("another", async () => undefined)).toBe(true);
      gate.resolve();
      expect(await first).toBe(true);
      expect(inside).toBe(1);
      expect(await second.database.alone("tidy", async () => undefined)).toBe(true);
      await second.close();
    }));

  test("tells of each change of state once", () =>
    opened(async ({ database }) => {
      const states: string[] = [];
      database.onChange(() => {
        if (states.at(-1) !== database.state) states.push(database.state);
      });
      await database
        .query((sql) => sql`select count(*) from generate_series(1, 2000000000)`, 100)
        .catch(() => undefined);
      await untilUp(database);
      expect(states).toEqual(["away", "up"]);
    }));

  test("is away for good once it is stopped", async () => {
    const { database, close } = await open({ migrations: things });
    await close();
    expect(database.state).toBe("away");
    expect(database.query((sql) => sql`select 1`, 1000)).rejects.toThrow("it is stopped");
  });
});
