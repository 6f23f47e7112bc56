/** Backups: of one moment while the database goes on, and whole or not at all on their way back. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { writeBackup } from "../../../src/database/transfer/backup";
import { backupStream } from "../../../src/database/transfer/backup-stream";
import { answerTo } from "../../../src/database/transfer/reading";
import { restoreBackup } from "../../../src/database/transfer/restore";
import { silentLog } from "../../../src/log";
import { eachDatabase } from "../../support/databases";
import { until } from "../../support/service";
import { backupOf, chunksOf, countPlants, fill, migrations, names, restoreInto } from "./plants";

const tablesOf = (text: string): unknown => JSON.parse(text.trimEnd().split("\n").at(-1) ?? "");

eachDatabase("a backup", (open, kind) => {
  test("restored and backed up again is the same, row for row; what a running server has there stays", async () => {
    const first = await open({ migrations });
    const second = await open({ migrations });
    await fill(first.database);
    const text = await backupOf(first.database);
    expect(text.split("\n").length).toBeGreaterThan(1200);
    // None of these leaves a row.
    const lines = text.trimEnd().split("\n");
    const cases: [string, string][] = [
      [lines.slice(0, -1).join("\n"), "cut off"],
      [text.slice(0, text.length / 2), "damaged"],
      [lines.toSpliced(5, 1).join("\n"), "1199 rows of plants"],
      [text.replace("9007199254740995", "9007199254740996"), "with checksum"],
      [lines.toSpliced(5, 0, lines[5] ?? "").join("\n"), "twice"],
      [text.replace('"migration":1', '"migration":2'), "newer Corral"],
      [text.replace('"part":"plants_2026_11"', '"part":"pots_2026_11"'), "no name of a part"],
      [text.replace('"part":"plants_2026_11"', '"part":"plants_pkey"'), "no name of a part"],
      [text.replace('"from":"2026-11-01', '"from":"2026-99-01'), "of no time"],
      [text.replace('"from":"2026-11-01', '"from":"2027-11-01'), "of no time"],
      [
        text.replace(
          '"part":"pots","range":null',
          '"part":"pots_1","range":{"from":"2026-01-01T00:00:00Z","to":"2027-01-01T00:00:00Z"}',
        ),
        "not partitioned",
      ],
      [lines.toSpliced(5, 0, "[".repeat(100_000)).join("\n"), "stack depth"],
      [text.replace('"leaves",', '"name",'), "none of a backup's"],
      [text.replace('"leaves",', '"flowers",'), "a column flowers of the table plants"],
      [`${text}x\n`, "more after its end"],
      [text.replace(/\{"corral_backup":"end".*/, '{"corral_backup":"failed","error":"a disk"}'), "a disk"],
      ["nothing\n", "no backup of Corral's"],
      ["", "cut off"],
    ];
    // What is read is judged the same way on both; what is undone is not.
    for (const [spoiled, why] of kind === "server" ? cases : cases.slice(0, 3)) {
      await expect(restoreInto(second.database, spoiled)).rejects.toThrow(why);
      expect(await countPlants(second.database)).toBe(0);
    }

    // A partition that a later writer made is made by the restore.
    await second.database.query((sql) => sql`drop table plants_2026_11`, 30_000);
    await second.database.query((sql) => sql`insert into pots values ('clay', 7), ('tin', 1)`, 30_000);
    expect(await restoreInto(second.database, text)).toMatchObject([{ rows: 1200 }, { rows: 1 }]);
    const again = await backupOf(second.database);
    expect(tablesOf(again)).toMatchObject({ tables: [Object(tablesOf(text)).tables[0], { rows: 2 }] });
    expect(await second.database.query((sql) => sql`select * from pots order by name`, 30_000)).toMatchObject(
      [{ name: "clay", size: 7 }, { name: "tin" }],
    );
    await expect(restoreInto(second.database, text)).rejects.toMatchObject({ code: "conflict", status: 409 });
    for (const one of [first, second]) await one.close();
  });

  test("of an earlier version goes in as its database would be migrated; what is wrong with it leaves nothing", async () => {
    const first = await open({ migrations });
    await fill(first.database);
    const text = await backupOf(first.database);
    await first.close();
    const text2 = `
      alter table plants rename column leaves to leaf_count;
      update plants set name = 'moss' where name = '';
      alter table pots rename to vessels;
      create table pots (name text primary key);
      insert into pots select 'old ' || name from vessels;
      drop table vessels`;
    const later = [...migrations, { number: 2, name: "leaf_count", text: text2 }];
    const second = await open({ migrations: later });
    await second.database.query((sql) => sql`drop table plants_2026_11`, 30_000);
    await expect(restoreInto(second.database, text.slice(0, -200), later)).rejects.toThrow("damaged");
    expect(await countPlants(second.database)).toBe(0);
    // A role that may write, and make nothing; it goes with the transaction.
    const asWriter = second.database.hold(async (run) => {
      await run(async (sql) => {
        await sql`create role writer in role pg_read_all_data, pg_write_all_data`;
        await sql`set local role writer`;
      }, 30_000);
      return restoreBackup(run, chunksOf(text), { names, live: [], migrations: later });
    });
    await expect(asWriter).rejects.toThrow("grant it CREATE on the database");
    await restoreInto(second.database, text, later);
    const rows = await second.database.query(
      (sql) => sql`select count(*)::int as plants, count(*) filter (where name = 'moss')::int as moss,
        sum(leaf_count)::text as leaves, (select string_agg(name, ',') from pots) as pots,
        (select count(*)::int from pg_namespace where nspname = 'corral_restore') as left from plants`,
      30_000,
    );
    const leaves = String(1200n * 9007199254740993n + 720_600n);
    expect([...rows]).toEqual([{ plants: 1200, moss: 399, leaves, pots: "old clay", left: 0 }]);
    await second.close();
  });

  test("is of one moment, and holds up nobody; a reader that leaves ends it without a trace", async () => {
    const { database, where, close } = await open({ migrations });
    await fill(database);
    const text = await database.view(async (run) => {
      // A copy's recovery would else sync a thousand files that nobody needs after this.
      const [setting] = await run((sql) => sql`select current_setting('fsync') as fsync`, 30_000);
      if (kind === "embedded") expect(setting?.fsync).toBe("off");
      await database.query((sql) => sql`delete from plants where leaves < 9007199254741100`, 30_000);
      await database.query((sql) => sql`update pots set size = 9`, 30_000);
      return (await Array.fromAsync(writeBackup(run, names, "a test"))).join("");
    });
    expect(tablesOf(text)).toMatchObject({ tables: [{ rows: 1200 }, { rows: 1 }] });
    expect(text).toContain('"size":3');
    expect(await countPlants(database)).toBeLessThan(1200);

    const reader = (await backupStream(database, names, "a test", silentLog)).getReader();
    await reader.read();
    await reader.cancel();
    if (where.kind === "embedded") {
      const left = () => readdirSync(dirname(where.folder)).filter((name) => name.includes("-copy-"));
      await until(() => left().length === 0);
    }
    expect(database.state).toBe("up");
    await close();
  });

  if (kind === "server") return;
  test("a person's question may read, and nothing else", async () => {
    const { database, close } = await open({ migrations });
    await fill(database);
    const ask = (statement: string) => answerTo(database, statement);
    expect(await ask("select name, size, null, '' from pots -- all;")).toEqual({
      columns: ["name", "size", "?column?", "?column?"],
      rows: [["clay", "3", null, ""]],
      more: false,
    });
    expect(await ask("table plants;")).toMatchObject({ rows: { length: 1000 }, more: true });
    expect(await ask("select * from pots where false")).toMatchObject({
      columns: ["name", "size"],
      rows: [],
    });
    for (const statement of [
      "delete from plants",
      "with gone as (delete from plants returning 1) select * from gone",
      "select 1; delete from plants",
      "commit",
      "copy (select 1) to '/tmp/x'",
      "set role postgres",
      "select set_config('transaction_read_only', 'off', false)",
      "select query_to_xml('delete from plants', true, true, '')",
      "select lo_from_bytea(0, 'a')",
      "select pg_read_file('PG_VERSION')",
      "select * from pots for update",
      "select nosuch",
      "",
    ]) {
      await expect(ask(statement)).rejects.toMatchObject({ code: "invalid_request" });
    }
    // What one asks for leaves nothing for the next.
    await expect(
      answerTo(database, "select count(*) from generate_series(1, 1e8)", 300),
    ).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringContaining("longer than 0.3 s"),
    });
    // Whoever comes while it is started anew has asked nothing that takes long.
    await expect(answerTo(database, "select 1", 300)).rejects.toMatchObject({ code: "database_away" });
    await until(() => database.state === "up");
    await ask("select set_config('search_path', 'nowhere', false), set_config('role', 'postgres', false)");
    expect(await ask("select current_user")).toMatchObject({ rows: [["pg_read_all_data"]] });
    expect(await countPlants(database)).toBe(1200);
    await close();
  });
});
