/**
 * A backup: lines of JSON, one a row, between a first line that says what made it and a last one that says how much there
 * is. One form for both databases, so that a backup of either goes into the other. A file without its last line was cut
 * off.
 */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Run } from "../line";
import { readRows, Tally } from "./rows";
import { readMigration, readTables } from "./tables";

/** Of the lines that are no rows: no table's first column has this name. */
export const MARK = '{"corral_backup":';
export const VERSION = 1;

const time = Type.String({ pattern: "^\\d{4,6}-\\d\\d-\\d\\dT[\\d:.]+Z$" });
const name = Type.String({ pattern: "^[a-z][a-z0-9_]*$", maxLength: 63 });

export const headerSchema = Type.Object({
  corral_backup: Type.Literal("header"),
  version: Type.Integer(),
  program: Type.String(),
  /** The migration that the database was at. */
  migration: Type.Integer({ minimum: 1 }),
  made_at: Type.String(),
});
export const partSchema = Type.Object({
  corral_backup: Type.Literal("part"),
  table: name,
  columns: Type.Array(name, { minItems: 1, uniqueItems: true }),
  part: name,
  range: Type.Union([Type.Object({ from: time, to: time }), Type.Null()]),
});
export const endSchema = Type.Object({
  corral_backup: Type.Literal("end"),
  tables: Type.Array(
    Type.Object({ table: name, rows: Type.Integer({ minimum: 0 }), checksum: Type.String() }),
  ),
});
/** In place of the end, where the program that writes it can't go on. */
export const failedSchema = Type.Object({ corral_backup: Type.Literal("failed"), error: Type.String() });

/** How much a table holds, and the checksum of its rows. */
export type TableCount = Static<typeof endSchema>["tables"][number];

/**
 * Reads the tables as a backup, in pieces of about a megabyte.
 * @param run on one consistent state of the database
 * @param names of the tables
 * @param program that makes it, for people
 */
export async function* writeBackup(
  run: Run,
  names: readonly string[],
  program: string,
): AsyncGenerator<string> {
  const tables = await run((sql) => readTables(sql, names), WITHIN_MS);
  const header: Static<typeof headerSchema> = {
    corral_backup: "header",
    version: VERSION,
    program,
    migration: await run(readMigration, WITHIN_MS),
    made_at: new Date().toISOString(),
  };
  yield `${JSON.stringify(header)}\n`;
  const counts: TableCount[] = [];
  for (const table of tables) {
    const tally = new Tally();
    for (const part of table.parts) {
      const line: Static<typeof partSchema> = {
        corral_backup: "part",
        table: table.name,
        columns: [...table.columns],
        part: part.name,
        range: part.range,
      };
      yield `${JSON.stringify(line)}\n`;
      for await (const lines of readRows(run, table, part)) {
        for (const row of lines) tally.add(row);
        yield `${lines.join("\n")}\n`;
      }
    }
    counts.push({ table: table.name, rows: tally.rows, checksum: tally.checksum });
  }
  const end: Static<typeof endSchema> = { corral_backup: "end", tables: counts };
  yield `${JSON.stringify(end)}\n`;
}

/** The line that stands for the end where there is none. */
export function failedLine(error: string): string {
  const line: Static<typeof failedSchema> = { corral_backup: "failed", error };
  return `${JSON.stringify(line)}\n`;
}

/** What the last line of a backup says that ends with this text: what is in it, or why it is not whole. */
export function readEnd(tail: string): readonly TableCount[] | string {
  const last = tail.trimEnd().split("\n").at(-1) ?? "";
  const end = readControl(Type.Union([endSchema, failedSchema]), last);
  if (end === null) return "the backup was cut off: its end is missing";
  return end.corral_backup === "end" ? end.tables : end.error;
}

/** A line as what the schema takes; null for any other. */
export function readControl<T extends TSchema>(schema: T, line: string): Static<T> | null {
  try {
    const value: unknown = JSON.parse(line);
    return Value.Check(schema, value) ? value : null;
  } catch {
    return null;
  }
}

const WITHIN_MS = 60_000;
