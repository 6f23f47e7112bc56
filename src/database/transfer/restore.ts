/** A backup's way back: whole or not at all, in one transaction, and only into tables that are empty. */
import { type Static, Type } from "@sinclair/typebox";
import { failure, messageOf, quote } from "../../errors";
import type { Run, Work } from "../line";
import type { Migration } from "../migrations";
import {
  endSchema,
  failedSchema,
  headerSchema,
  MARK,
  partSchema,
  readControl,
  type TableCount,
  VERSION,
} from "./backup";
import { OlderTables } from "./older";
import { Batch, putRows, Tally } from "./rows";
import { ensurePart, firstFilled, readTables, type Table } from "./tables";

const WITHIN_MS = 120_000;
const controlSchema = Type.Union([partSchema, endSchema, failedSchema]);

export interface RestoreTerms {
  /** The tables, in the order in which they are restored. */
  readonly names: readonly string[];
  /** Of these: those that a running server has its own rows in. They need not be empty, and its rows stay. */
  readonly live: readonly string[];
  /** All of the program's, which the database is at; a backup of an earlier one goes through those that it lacks. */
  readonly migrations: readonly Migration[];
}

/**
 * Puts a backup's rows into the database.
 * @param run in a transaction, which is to be undone when this throws
 * @param chunks of the backup's text, cut anywhere
 * @returns what was restored
 * @throws Failure 409 for a database that is not empty; 400 for a file that is no backup, was cut off or damaged, or is of
 *   a newer program
 */
export async function restoreBackup(
  run: Run,
  chunks: AsyncIterable<string>,
  terms: RestoreTerms,
): Promise<readonly TableCount[]> {
  const filled = terms.names.filter((name) => !terms.live.includes(name));
  await run(async (sql) => {
    for (const name of filled) await sql`lock table ${sql(name)} in share row exclusive mode`;
    const first = await firstFilled(sql, filled);
    if (first !== null)
      throw failure.conflict(
        `the database is not empty (there are rows in ${first}), and a backup goes into an empty one only: restore it in a fresh data folder (CORRAL_DATA_DIR) or a fresh PostgreSQL database (DATABASE_URL)`,
      );
  }, WITHIN_MS);
  const restoring = new Restoring(run, terms);
  for await (const line of linesOf(chunks)) {
    if (restoring.end) throw damaged("there is more after its end");
    await restoring.take(line);
  }
  if (!restoring.end) throw damaged("it was cut off: its end is missing");
  await restoring.older?.handOver();
  return restoring.end.tables;
}

class Restoring {
  readonly #run: Run;
  readonly #terms: RestoreTerms;
  #tables: readonly Table[] = [];
  readonly #tallies = new Map<string, Tally>();
  readonly #batch = new Batch();
  #begun = false;
  #part: Static<typeof partSchema> | null = null;
  /** Where the rows of a backup of an earlier version go first. */
  older: OlderTables | null = null;
  end: Static<typeof endSchema> | null = null;

  constructor(run: Run, terms: RestoreTerms) {
    this.#run = run;
    this.#terms = terms;
  }

  async take(line: string): Promise<void> {
    if (!this.#begun) return this.#begin(line);
    if (line.startsWith(MARK)) return this.#control(line);
    if (this.#part === null) throw damaged("there are rows before the first table");
    this.#tallies.get(this.#part.table)?.add(line);
    const full = this.#batch.add(line);
    if (full) await this.#put(full);
  }

  async #begin(line: string): Promise<void> {
    this.#begun = true;
    const header = readControl(headerSchema, line);
    if (header === null) throw failure.invalid("this is no backup of Corral's");
    const { names, migrations } = this.#terms;
    const known = migrations.length;
    if (header.version > VERSION || header.migration > known)
      throw failure.invalid(
        `the backup was made by a newer Corral (${quote(header.program)}, migration ${header.migration}; this one knows ${known}): restore it with that version or a later one`,
      );
    if (header.migration < known)
      this.older = await OlderTables.make(this.#run, names, migrations, header.migration);
    this.#tables = this.older?.tables ?? (await this.#run((sql) => readTables(sql, names), WITHIN_MS));
  }

  async #control(line: string): Promise<void> {
    await this.#put(this.#batch.take());
    const control = readControl(controlSchema, line);
    if (control === null) throw damaged(`it has a line that is none of a backup's: ${quote(line, 80)}`);
    if (control.corral_backup === "failed")
      throw failure.invalid(`the backup is not whole: making it failed (${control.error})`);
    if (control.corral_backup === "end") return this.#finish(control);
    const { table, columns, part, range } = control;
    const known = this.#tables.find(({ name }) => name === table);
    const foreign = columns.find((column) => !known?.columns.includes(column));
    if (!known || foreign !== undefined)
      throw failure.invalid(
        `the backup holds ${known ? `a column ${foreign} of the table` : "a table"} ${table}, which no Corral had at that migration: was it edited? Take another copy of it`,
      );
    if (range !== null && !isPartOf(table, part)) throw damaged(`${part} is no name of a part of ${table}`);
    if (range !== null && !(Date.parse(range.from) < Date.parse(range.to)))
      throw damaged(`${part} is of no time: from ${range.from} to ${range.to}`);
    await this.#refusing(table, (sql) => ensurePart(sql, table, { name: part, range }));
    if (!this.#tallies.has(table)) this.#tallies.set(table, new Tally());
    this.#part = control;
  }

  async #put(lines: readonly string[]): Promise<void> {
    const part = this.#part;
    if (lines.length === 0 || part === null) return;
    const stored = await this.#refusing(part.table, (sql) => putRows(sql, part.table, part.columns, lines));
    if (stored !== lines.length && !this.#terms.live.includes(part.table))
      throw damaged(`it has rows of ${part.table} twice`);
  }

  /** @throws Failure 400 where it is what the backup holds that the database does not take */
  async #refusing<T>(table: string, work: Work<T>): Promise<T> {
    try {
      return await this.#run(work, WITHIN_MS);
    } catch (error) {
      if (isRefused(error)) throw damaged(`the database refuses rows of ${table}: ${messageOf(error)}`);
      throw error;
    }
  }

  #finish(end: Static<typeof endSchema>): void {
    for (const { table, rows, checksum } of end.tables) {
      const tally = this.#tallies.get(table) ?? new Tally();
      if (tally.rows !== rows || tally.checksum !== checksum)
        throw damaged(
          `it holds ${tally.rows} rows of ${table} with checksum ${tally.checksum}, and says ${rows} with ${checksum}`,
        );
      this.#tallies.delete(table);
    }
    const [unsaid] = this.#tallies.keys();
    if (unsaid !== undefined) throw damaged(`its end says nothing of ${unsaid}`);
    this.end = end;
  }
}

/** Lines of a text that comes in chunks; a last one that has no end is one, too. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest: string[] = [];
  for await (const chunk of chunks) {
    const lines = chunk.split("\n");
    const last = lines.pop() ?? "";
    for (const line of lines) {
      yield rest.length === 0 ? line : rest.join("") + line;
      rest = [];
    }
    if (last !== "") rest.push(last);
  }
  if (rest.length > 0) yield rest.join("");
}

/** Whether a name is what a part of a table is called: it, and numbers of a date. */
function isPartOf(table: string, part: string): boolean {
  return part.startsWith(`${table}_`) && /^[0-9_]+$/.test(part.slice(table.length));
}

/** Whether PostgreSQL says that values are wrong (SQLSTATE classes: data, constraint, limit; 42P: what a part is made of). */
function isRefused(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^(22...|23...|54...|42P..)$/.test(String(error.code));
}

function damaged(how: string) {
  return failure.invalid(`the backup is damaged (${how}): nothing was restored. Take another copy of it`);
}
