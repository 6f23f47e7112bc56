/** The table of models that people keep notes on. */
import type { Database, Sql } from "../../database/database";
import { storable } from "../../ledger/texts";
import type { RepositoryChanges, RepositoryModel } from "./model";

interface Row {
  name: string;
  description: string;
  is_favorite: boolean;
  is_default: boolean;
  is_installed: boolean;
  tags: string[];
  created_at: Date;
  updated_at: Date;
}

const DEADLINE_MS = 10_000;

/** All of them, by name. */
export async function listModels(database: Database): Promise<RepositoryModel[]> {
  const rows = await database.query((sql) => sql<Row[]>`select * from repository order by name`, DEADLINE_MS);
  return rows.map(toModel);
}

export async function findModel(database: Database, name: string): Promise<RepositoryModel | null> {
  const [row] = await database.query(
    (sql) => sql<Row[]>`select * from repository where name = ${name}`,
    DEADLINE_MS,
  );
  return row ? toModel(row) : null;
}

/** @returns the new model, or null where the name exists */
export async function addModel(
  database: Database,
  name: string,
  fields: RepositoryChanges,
): Promise<RepositoryModel | null> {
  return database
    .transaction(async (sql) => {
      await inTurn(sql);
      if (fields.is_default) await freeDefault(sql, name);
      const [row] = await sql<Row[]>`
      insert into repository ${sql({ name, ...columns(fields) })} on conflict do nothing returning *`;
      // Undoes the freed default as well.
      if (!row) throw new NameTaken();
      return toModel(row);
    }, DEADLINE_MS)
    .catch((error) => {
      if (error instanceof NameTaken) return null;
      throw error;
    });
}

/** Changes what is given. @returns null where there is no such model */
export async function changeModel(
  database: Database,
  name: string,
  changes: RepositoryChanges,
): Promise<RepositoryModel | null> {
  return database.transaction(async (sql) => {
    await inTurn(sql);
    const [known] = await sql`select 1 from repository where name = ${name}`;
    if (!known) return null;
    if (changes.is_default) await freeDefault(sql, name);
    const [row] = await sql<Row[]>`
      update repository set ${sql({ ...columns(changes), updated_at: new Date().toISOString() })}
      where name = ${name} returning *`;
    return row ? toModel(row) : null;
  }, DEADLINE_MS);
}

/** @returns whether there was one */
export async function removeModel(database: Database, name: string): Promise<boolean> {
  const rows = await database.query(
    (sql) => sql`delete from repository where name = ${name} returning 1`,
    DEADLINE_MS,
  );
  return rows.length > 0;
}

/**
 * Holds the repository against what is installed.
 * @param described descriptions for models that are new, by name
 */
export async function syncModels(
  database: Database,
  installed: readonly string[],
  described: (name: string) => string,
): Promise<{ added: string[]; updated: string[]; removed: string[] }> {
  return database.transaction(async (sql) => {
    await inTurn(sql);
    const known = new Map((await sql<Row[]>`select * from repository`).map((row) => [row.name, row]));
    const there = new Set(installed);
    const added = installed.filter((name) => !known.has(name));
    const updated = installed.filter((name) => known.get(name)?.is_installed === false);
    const removed = [...known.values()]
      .filter((row) => row.is_installed && !there.has(row.name))
      .map((row) => row.name);
    for (const name of added) {
      await sql`insert into repository ${sql({ name, description: described(name), is_installed: true })} on conflict do nothing`;
    }
    if (updated.length > 0)
      await sql`update repository set is_installed = true, updated_at = now() where name in ${sql(updated)}`;
    if (removed.length > 0)
      await sql`update repository set is_installed = false, updated_at = now() where name in ${sql(removed)}`;
    return { added, updated, removed };
  }, DEADLINE_MS);
}

class NameTaken extends Error {}

/** One change at a time, before any row is locked: two who make another model the default would else wait for one another. */
async function inTurn(sql: Sql): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('corral repository'))`;
}

/** At most one model is the default: it is taken from the one that has it, in the same transaction. */
async function freeDefault(sql: Sql, name: string): Promise<void> {
  await sql`update repository set is_default = false, updated_at = now() where is_default and name <> ${name}`;
}

function columns({ description, tags, ...flags }: RepositoryChanges) {
  return {
    ...flags,
    ...(description === undefined ? {} : { description: storable(description) }),
    ...(tags === undefined ? {} : { tags: tags.map(storable) }),
  };
}

function toModel(row: Row): RepositoryModel {
  return { ...row, created_at: row.created_at.toISOString(), updated_at: row.updated_at.toISOString() };
}
