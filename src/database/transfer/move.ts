/**
 * A move: everything of one database to another that is empty, table by table and part by part. It can be broken off and
 * run again: what is the same on both sides is left, what is not is copied anew. Nobody may write to the first meanwhile.
 */

import { failure } from "../../errors";
import type { Database } from "../database";
import type { Run } from "../line";
import type { Sql } from "../sql";
import type { TableCount } from "./backup";
import { putRows, readRows, Tally, tallyOf } from "./rows";
import { ensurePart, firstFilled, type Part, quoteName, readTables, type Table } from "./tables";

const WITHIN_MS = 120_000;

export interface MoveTerms {
  readonly from: Database;
  /** Opened with `mayBeHalfMoved`. */
  readonly to: Database;
  readonly names: readonly string[];
  /** Tells one first database from another: they have no name of their own. */
  readonly source: string;
  /** Told of each table once it is there and compared: what it holds on either side, computed from that side's own rows. */
  readonly onTable: (moved: TableCount) => void;
}

/**
 * Copies the tables, reads both sides, and compares them.
 * @throws Failure 409 for a second database that is not empty; 500 where a comparison fails
 */
export async function moveDatabase({ from, to, names, source, onTable }: MoveTerms): Promise<void> {
  const read: Run = (work, deadlineMs) => from.query(work, deadlineMs);
  const write: Run = (work, deadlineMs) => to.transaction(work, deadlineMs);
  await write((sql) => begin(sql, names, source), WITHIN_MS);
  const tables = await read((sql) => readTables(sql, names), WITHIN_MS);
  for (const table of tables) {
    const [there] = await write((sql) => readTables(sql, [table.name]), WITHIN_MS);
    for (const part of there?.parts ?? []) {
      if (!table.parts.some(({ name }) => name === part.name))
        await write((sql) => sql.unsafe(`drop table ${quoteName(part.name)}`), WITHIN_MS);
    }
    const moved = new Tally();
    for (const part of table.parts) moved.addAll(await movePart(read, write, table, part));
    const arrived = new Tally();
    const [now] = await write((sql) => readTables(sql, [table.name]), WITHIN_MS);
    for (const part of now?.parts ?? []) arrived.addAll(await tallyOf(write, table, part));
    if (!arrived.equals(moved))
      throw failure.database(
        `of the table ${table.name} ${moved.rows} rows with checksum ${moved.checksum} were sent, and ${arrived.rows} with ${arrived.checksum} arrived: does somebody else write there? Run it again`,
      );
    onTable({ table: table.name, rows: moved.rows, checksum: moved.checksum });
  }
  await write((sql) => sql`drop table corral_move`, WITHIN_MS);
}

/** Marks an empty database as half moved, so that a move that is run again knows it, and no server takes it for whole. */
async function begin(sql: Sql, names: readonly string[], source: string): Promise<void> {
  const [marked] = await sql<{ there: boolean }[]>`select to_regclass('corral_move') is not null as there`;
  if (marked?.there) {
    const [row] = await sql<{ source: string }[]>`select source from corral_move`;
    if (row?.source === source) return;
    throw failure.conflict(
      "another database was being moved there, and is not yet whole: finish that move, or drop the database and make it anew",
    );
  }
  const first = await firstFilled(sql, names);
  if (first !== null)
    throw failure.conflict(
      `the database is not empty (there are rows in ${first}), and a move goes into an empty one only: make a fresh one. Had a move ended there before, it was whole`,
    );
  await sql`create table corral_move (source text not null)`;
  await sql`insert into corral_move values (${source})`;
}

/** @returns what the part holds in the first database */
async function movePart(read: Run, write: Run, table: Table, part: Part): Promise<Tally> {
  const isThere = await write(async (sql) => {
    await ensurePart(sql, table.name, part);
    return (await firstFilled(sql, [part.name])) !== null;
  }, WITHIN_MS);
  if (isThere) {
    const tally = await tallyOf(read, table, part);
    if (tally.equals(await tallyOf(write, table, part))) return tally;
    await write((sql) => sql`truncate ${sql(part.name)}`, WITHIN_MS);
  }
  const tally = new Tally();
  for await (const lines of readRows(read, table, part)) {
    for (const line of lines) tally.add(line);
    await write((sql) => putRows(sql, table.name, table.columns, lines), WITHIN_MS);
  }
  return tally;
}
