/** The move: broken off, run again, and compared. */
import { expect, test } from "bun:test";
import { type Database, openDatabase } from "../../../src/database/database";
import type { TableCount } from "../../../src/database/transfer/backup";
import { moveDatabase } from "../../../src/database/transfer/move";
import { failure } from "../../../src/errors";
import { silentLog } from "../../../src/log";
import { describeServer, embeddedPlace } from "../../support/databases";
import { backupOf, countPlants, fill, migrations, names } from "./plants";

/** The database, until so many transactions were done. */
function breaking(real: Database, after: number): Database {
  let left = after;
  return Object.create(real, {
    transaction: {
      value: (...terms: Parameters<Database["transaction"]>) =>
        left-- > 0 ? real.transaction(...terms) : Promise.reject(failure.database("the cable was pulled")),
    },
  });
}

describeServer("a move", (server) => {
  test("that was broken off anywhere goes on, takes over what changed since, and ends with the same on both sides", async () => {
    const place = await embeddedPlace();
    const from = openDatabase({ where: place.where, log: silentLog, migrations });
    from.start();
    await from.firstAttempt;
    await fill(from);
    const url = await (await server()).createDatabase();
    const open = async (mayBeHalfMoved?: true) => {
      const where = { kind: "server", url, ...(mayBeHalfMoved ? { mayBeHalfMoved } : {}) } as const;
      const database = openDatabase({ where, log: silentLog, migrations });
      database.start();
      await database.firstAttempt;
      return database;
    };
    const to = await open(true);
    let moved: TableCount[] = [];
    const move = (into: Database, source = "this one") =>
      moveDatabase({ from, to: into, names, source, onTable: (table) => moved.push(table) });

    await expect(move(breaking(to, 6))).rejects.toThrow("the cable was pulled");
    expect(moved).toEqual([]);
    const refused = await open().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "half_moved" });
    await expect(move(to, "another one")).rejects.toThrow("another database was being moved there");

    await from.query((sql) => sql`delete from plants where alive`, 30_000);
    await from.query((sql) => sql`insert into pots values ('tin', 2)`, 30_000);
    await move(to);
    expect(moved).toMatchObject([
      { table: "plants", rows: 600 },
      { table: "pots", rows: 2 },
    ]);
    expect(await countPlants(to)).toBe(600);
    // Both write a row with the same bytes.
    const tables = (text: string) => text.trimEnd().split("\n").at(-1);
    expect(tables(await backupOf(to))).toBe(tables(await backupOf(from)));

    moved = [];
    await expect(move(to)).rejects.toThrow("not empty (there are rows in plants)");
    const whole = await open();
    for (const database of [whole, to, from]) await database.stop();
    place.remove();
  });
});
