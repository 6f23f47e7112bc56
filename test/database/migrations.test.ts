/** Migrations: each once, in order, or not at all. */
import { describe, expect, test } from "bun:test";
import { type Database, type Migration, openDatabase } from "../../src/database/database";
import { inOrder, ownMigrations, parseMigrations } from "../../src/database/migrations";
import { silentLog } from "../../src/log";
import { describeServer, eachDatabase } from "../support/databases";

const one: Migration = {
  number: 1,
  name: "plants",
  text: "create table plants (id int); insert into plants values (1)",
};
const two: Migration = {
  number: 2,
  name: "names",
  text: "alter table plants add name text; update plants set name = 'oak'",
};
const three: Migration = { number: 3, name: "pots", text: "create table pots (id int)" };

const applied = (database: Database) =>
  database.query((sql) => sql`select number, name from corral_migrations order by number`, 30_000);

eachDatabase("migrations", (open) => {
  test.concurrent("are applied in order at the first start, and only the new ones later", async () => {
    const first = await open({ migrations: [two, one] });
    expect(await applied(first.database)).toMatchObject([{ number: 1 }, { number: 2, name: "names" }]);
    expect(await first.database.query((sql) => sql`select id, name from plants`, 30_000)).toMatchObject([
      { id: 1, name: "oak" },
    ]);
    await first.database.stop();

    const later = await open({ where: first.where, migrations: [one, two, three] });
    expect(await applied(later.database)).toHaveLength(3);
    expect(await later.database.query((sql) => sql`select id, name from plants`, 30_000)).toHaveLength(1);
    await later.database.stop();

    const again = await open({ where: first.where, migrations: [one, two, three] });
    expect(await applied(again.database)).toHaveLength(3);
    await again.close();
    await first.close();
  });

  test.concurrent("stop the start when a file was changed after it was applied, naming it and what to do", async () => {
    const first = await open({ migrations: [one, two] });
    await first.database.stop();
    const changed = open({
      where: first.where,
      migrations: [one, { ...two, text: `${two.text} -- mended` }],
    });
    expect(changed).rejects.toMatchObject({ code: "migration_changed" });
    expect(changed).rejects.toThrow(
      /^sql\/002_names\.sql was changed.*checksum [0-9a-f]{12}….*in a new migration$/,
    );
    await changed.catch(() => undefined);
    // Windows line ends are no change.
    const same = await open({
      where: first.where,
      migrations: [one, { ...two, text: two.text.replaceAll("\n", "\r\n") }],
    });
    await same.close();
    await first.close();
  });

  test.concurrent("stop the start when the database is newer than the program", async () => {
    const first = await open({ migrations: [one, two] });
    await first.database.stop();
    const older = open({ where: first.where, migrations: [one] });
    expect(older).rejects.toMatchObject({ code: "database_newer" });
    expect(older).rejects.toThrow(
      "the database has migration sql/002_names.sql, and this program knows only numbers 1 to 1",
    );
    await older.catch(() => undefined);
    await first.close();
  });

  test.concurrent("that fail leave nothing, and can be mended", async () => {
    const first = await open({ migrations: [one] });
    await first.database.stop();
    const bad: Migration = { number: 2, name: "bad", text: "create table half (id int); select 1 / 0" };
    const failing = open({ where: first.where, migrations: [one, bad] });
    expect(failing).rejects.toMatchObject({ code: "migration_failed" });
    expect(failing).rejects.toThrow(
      "migration sql/002_bad.sql failed and was undone: division by zero (SQLSTATE 22012)",
    );
    await failing.catch(() => undefined);

    const mended = await open({ where: first.where, migrations: [one, two] });
    expect(await applied(mended.database)).toHaveLength(2);
    expect(
      await mended.database.query((sql) => sql`select to_regclass('half') as half`, 30_000),
    ).toMatchObject([{ half: null }]);
    await mended.close();
    await first.close();
  });

  test.concurrent("may be none, or the program's own", async () => {
    const none = await open({ migrations: [] });
    await none.database.stop();
    const own = await open({ where: none.where });
    expect(await applied(own.database)).toHaveLength(ownMigrations().length);
    await own.close();
    await none.close();
  });
});

describeServer("migrations of servers that start at the same time", (server) => {
  test("are applied exactly once each", async () => {
    const url = await (await server()).createDatabase();
    const slow = { ...one, text: `${one.text}; select pg_sleep(0.2)` };
    const databases = Array.from({ length: 5 }, () =>
      openDatabase({ where: { kind: "server", url }, log: silentLog, migrations: [slow, two, three] }),
    );
    for (const database of databases) database.start();
    await Promise.all(databases.map((database) => database.firstAttempt));
    for (const database of databases) {
      expect(await applied(database)).toMatchObject([{ number: 1 }, { number: 2 }, { number: 3 }]);
      expect(await database.query((sql) => sql`select * from plants`, 30_000)).toHaveLength(1);
      await database.stop();
    }
  });
});

describe("the list of migrations", () => {
  test("has no gaps, no number twice, and no other names", () => {
    expect(() => inOrder([one, three])).toThrow("migration 3 (pots) comes where number 2 is expected");
    expect(() => inOrder([two])).toThrow("migration 2 (names) comes where number 1 is expected");
    expect(() => inOrder([one, { ...two, number: 1 }])).toThrow(
      "migration 1 is there twice, as plants and names",
    );
    expect(() => parseMigrations([{ file: "1-first.sql", text: "" }])).toThrow(
      "1-first.sql is not named as a migration",
    );
    expect(parseMigrations([{ file: "001_first.sql", text: "select 1" }])).toEqual([
      { number: 1, name: "first", text: "select 1" },
    ]);
  });
});
