/**
 * A backup of an earlier version: its rows are put into tables as that version had them, in a schema of their own; those
 * are migrated as that version's database would be, and what they then hold goes over. All in the restore's transaction.
 */
import postgres from "postgres";
import { failure } from "../../errors";
import type { Run } from "../line";
import { type Migration, migrate } from "../migrations";
import type { Sql } from "../sql";
import { ensurePart, quoteName, readTables, type Table } from "./tables";

/** SQLSTATE of what a role may not do. */
const INSUFFICIENT_PRIVILEGE = "42501";
const SCHEMA = "corral_restore";
const WITHIN_MS = 600_000;

export class OlderTables {
  readonly #run: Run;
  readonly #names: readonly string[];
  readonly #migrations: readonly Migration[];
  readonly #searchPath: string;
  readonly tables: readonly Table[];

  private constructor(
    run: Run,
    names: readonly string[],
    migrations: readonly Migration[],
    searchPath: string,
    tables: readonly Table[],
  ) {
    this.#run = run;
    this.#names = names;
    this.#migrations = migrations;
    this.#searchPath = searchPath;
    this.tables = tables;
  }

  /**
   * Makes the tables, and has every unqualified name mean them from now on.
   * @param names of the tables as they are called today; one that came later is not among them
   * @param migrations all that the program knows
   * @param at the migration that the backup was made at
   * @throws Failure `conflict` where the database's role may not make a schema
   */
  static async make(
    run: Run,
    names: readonly string[],
    migrations: readonly Migration[],
    at: number,
  ): Promise<OlderTables> {
    const searchPath = await run(async (sql) => {
      const [row] = await sql<{ path: string }[]>`select current_setting('search_path') as path`;
      await makeSchema(sql);
      await sql`select set_config('search_path', ${SCHEMA}, true)`;
      return row?.path ?? "";
    }, WITHIN_MS);
    await migrate((work) => run(work, WITHIN_MS), migrations.slice(0, at));
    const there = await run(
      (sql) => sql<{ name: string }[]>`
        select relname as name from pg_class where relnamespace = to_regnamespace(${SCHEMA}) and relkind in ('r', 'p')`,
      WITHIN_MS,
    );
    const known = names.filter((name) => there.some((table) => table.name === name));
    const tables = await run((sql) => readTables(sql, known), WITHIN_MS);
    return new OlderTables(run, names, migrations, searchPath, tables);
  }

  /** Migrates them, and hands over what they hold. A row that is there already stays as it is. */
  async handOver(): Promise<void> {
    await migrate((work) => this.#run(work, WITHIN_MS), this.#migrations);
    const migrated = await this.#run((sql) => readTables(sql, this.#names), WITHIN_MS);
    await this.#run((sql) => sql`select set_config('search_path', ${this.#searchPath}, true)`, WITHIN_MS);
    for (const table of migrated) {
      const columns = table.columns.map(quoteName).join(", ");
      for (const part of table.parts) {
        const name = quoteName(part.name);
        await this.#run(async (sql) => {
          await ensurePart(sql, table.name, part);
          await sql.unsafe(
            `insert into ${name} (${columns}) select ${columns} from ${SCHEMA}.${name} on conflict do nothing`,
          );
        }, WITHIN_MS);
      }
    }
    await this.#run((sql) => sql`drop schema ${sql(SCHEMA)} cascade`, WITHIN_MS);
  }
}

async function makeSchema(sql: Sql): Promise<void> {
  try {
    await sql`create schema ${sql(SCHEMA)}`;
  } catch (error) {
    if (!(error instanceof postgres.PostgresError) || error.code !== INSUFFICIENT_PRIVILEGE) throw error;
    throw failure.conflict(
      "a backup of an earlier version needs a schema of its own for a while, which the role of DATABASE_URL may not make: grant it CREATE on the database, and restore again",
    );
  }
}
