/** The copy that is kept before a migration, and the way back. */
import { expect, test } from "bun:test";
import { existsSync, renameSync, rmSync } from "node:fs";
import { type Migration, openDatabase } from "../../src/database/database";
import { silentLog } from "../../src/log";
import { embeddedPlace } from "../support/databases";

const one: Migration = { number: 1, name: "plants", text: "create table plants (name text)" };
const two: Migration = { number: 2, name: "pots", text: "alter table plants rename name to word" };
const three: Migration = { number: 3, name: "more", text: "create table pots (id int)" };
const four: Migration = { number: 4, name: "wrong", text: "create table pots (id int)" };

test("before a migration the embedded database is copied, so that the older version can be gone back to", async () => {
  const { where, remove } = await embeddedPlace();
  if (where.kind !== "embedded") throw new Error("not embedded");
  const open = async (migrations: Migration[]) => {
    const database = openDatabase({ where, log: silentLog, migrations });
    database.start();
    try {
      await database.firstAttempt;
      return await database.query((sql) => sql`select * from plants`.then((rows) => [...rows]), 30_000);
    } finally {
      if (migrations.length === 1)
        await database.query((sql) => sql`insert into plants values ('oak')`, 30_000);
      await database.stop();
    }
  };
  const copy = (migration: string) => `${where.folder}-at-${migration}`;
  try {
    expect(await open([one])).toHaveLength(0);
    expect(existsSync(copy("000"))).toBe(false);
    expect(await open([one, two])).toEqual([{ word: "oak" }]);
    expect(existsSync(copy("001"))).toBe(true);

    // Back, as the README has it.
    rmSync(where.folder, { recursive: true });
    renameSync(copy("001"), where.folder);
    expect(await open([one])).toEqual([{ name: "oak" }]);

    // Up again. A migration that fails leaves the copies that matter, and no more than two.
    expect(await open([one, two])).toHaveLength(2);
    expect(await open([one, two, three])).toHaveLength(2);
    await expect(open([one, two, three, four])).rejects.toMatchObject({ code: "migration_failed" });
    expect(["001", "002", "003"].map((state) => existsSync(copy(state)))).toEqual([false, true, true]);
  } finally {
    remove();
  }
});
