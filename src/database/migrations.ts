/**
 * Migrations: numbered files, each applied once, in order, in a transaction with the row that says so. Only one
 * server of several does it at a time; the others wait and find it done.
 */
import postgres from "postgres";
import { type Failure, failure, messageOf } from "../errors";
import type { Work } from "./line";
import { readMigrations } from "./migrations.macro" with { type: "macro" };

export interface Migration {
  /** 1 and up, without gaps. */
  readonly number: number;
  readonly name: string;
  readonly text: string;
}

interface Row {
  number: number;
  name: string;
  checksum: string;
}

/** Runs work in a transaction of its own. */
export type Transact = <T>(work: Work<T>) => Promise<T>;

const fatalCodes = ["migrations_wrong", "migration_changed", "migration_failed", "database_newer"];

/** Whether an error is one that waiting won't mend. */
export function isFatalMigration(error: Failure): boolean {
  return fatalCodes.includes(error.code);
}

/** The program's own migrations: the files `sql/NNN_name.sql`. */
export function ownMigrations(): Migration[] {
  return parseMigrations(readMigrations());
}

/**
 * Migrations from files named `NNN_name.sql`, in order.
 * @throws Failure `migrations_wrong` for another name, a number twice, or a gap
 */
export function parseMigrations(files: readonly { file: string; text: string }[]): Migration[] {
  const parsed = files.map(({ file, text }) => {
    const [, number, name] = /^(\d{3,})_([a-z0-9_]+)\.sql$/.exec(file) ?? [];
    if (number === undefined || name === undefined) {
      throw wrong(`${file} is not named as a migration: NNN_name.sql, such as 002_pulls.sql`);
    }
    return { number: Number(number), name, text };
  });
  return inOrder(parsed);
}

/** @throws Failure `migrations_wrong` unless the numbers are 1, 2, 3 and so on */
export function inOrder(migrations: readonly Migration[]): Migration[] {
  const sorted = migrations.toSorted((a, b) => a.number - b.number);
  sorted.forEach((one, index) => {
    if (one.number === index + 1) return;
    const before = sorted[index - 1];
    throw wrong(
      before?.number === one.number
        ? `migration ${one.number} is there twice, as ${before.name} and ${one.name}: give one the next free number`
        : `migration ${one.number} (${one.name}) comes where number ${index + 1} is expected: numbers start at 1 and have no gaps`,
    );
  });
  return sorted;
}

/**
 * Compares the database with the migrations.
 * @returns how many are yet to be applied
 * @throws Failure `migration_changed` or `database_newer`
 */
export async function pendingMigrations(
  sql: Parameters<Work<void>>[0],
  migrations: readonly Migration[],
): Promise<number> {
  const [table] = await sql<
    { there: boolean }[]
  >`select to_regclass('corral_migrations') is not null as there`;
  if (table?.there !== true) return migrations.length;
  const rows = await sql<Row[]>`select number, name, checksum from corral_migrations order by number`;
  for (const row of rows) {
    const ours = migrations[row.number - 1];
    if (ours === undefined) throw newer(row, migrations.length);
    const checksum = checksumOf(ours);
    if (checksum !== row.checksum) throw changed(ours, row, checksum);
  }
  return migrations.length - rows.length;
}

/**
 * Applies what is yet to be applied.
 * @returns the migrations that this call applied
 * @throws Failure as `pendingMigrations`, and `migration_failed` with PostgreSQL's words; that one left nothing
 */
export async function migrate(transact: Transact, migrations: readonly Migration[]): Promise<Migration[]> {
  const applied: Migration[] = [];
  for (;;) {
    const one = await transact((sql) => applyNext(sql, migrations));
    if (one === null) return applied;
    applied.push(one);
  }
}

async function applyNext(
  sql: Parameters<Work<void>>[0],
  migrations: readonly Migration[],
): Promise<Migration | null> {
  // The transaction's own lock, not the session's: it can't outlive a broken connection, and works behind a pooler.
  await sql`select pg_advisory_xact_lock(hashtextextended('corral migrations', 0))`;
  await sql`
    create table if not exists corral_migrations (
      number int primary key, name text not null, checksum text not null, applied_at timestamptz not null default now()
    )`;
  const pending = await pendingMigrations(sql, migrations);
  const next = migrations[migrations.length - pending];
  if (next === undefined) return null;
  try {
    await sql.unsafe(next.text);
  } catch (error) {
    // Errors of the connection are no fault of the file's.
    if (!(error instanceof postgres.PostgresError) || /^(08|53|57|58)/.test(error.code)) throw error;
    throw failure.start(
      "migration_failed",
      `migration ${label(next)} failed and was undone: ${messageOf(error)} (SQLSTATE ${error.code})`,
    );
  }
  await sql`
    insert into corral_migrations (number, name, checksum) values (${next.number}, ${next.name}, ${checksumOf(next)})`;
  return next;
}

/** Over the text with plain newlines: git may write others on Windows. */
function checksumOf(migration: Migration): string {
  return new Bun.CryptoHasher("sha256").update(migration.text.replaceAll("\r\n", "\n")).digest("hex");
}

function label({ number, name }: { number: number; name: string }): string {
  return `sql/${String(number).padStart(3, "0")}_${name}.sql`;
}

function wrong(message: string): Failure {
  return failure.start("migrations_wrong", message);
}

function changed(ours: Migration, row: Row, checksum: string): Failure {
  return failure.start(
    "migration_changed",
    `${label(ours)} was changed after it was applied: the database has it with checksum ${row.checksum.slice(0, 12)}… (as ${label(row)}), this program with ${checksum.slice(0, 12)}…. Put the file back as it was, and make the change in a new migration`,
  );
}

function newer(row: Row, known: number): Failure {
  return failure.start(
    "database_newer",
    `the database has migration ${label(row)}, and this program knows ${known === 0 ? "none" : `only numbers 1 to ${known}`}: a newer Corral has used it. Start that version or a later one, or use another database`,
  );
}
