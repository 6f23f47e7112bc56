/**
 * A person's own question to the embedded database: read-only, one statement, bounded in time and in what it answers.
 * Nothing of it is judged by us: DECLARE takes a SELECT and nothing that writes, the extended protocol a single statement,
 * and the transaction is read-only and never kept.
 */
import postgres from "postgres";
import { failure, messageOf } from "../../errors";
import type { Database } from "../database";
import { late, whyOf } from "../faults";
import type { Work } from "../line";

export interface Answer {
  /** In their order; a name may come twice. */
  columns: string[];
  /** Values as PostgreSQL writes them. */
  rows: (string | null)[][];
  /** Whether there are more rows than these. */
  more: boolean;
}

const MOST_ROWS = 1000;
const MOST_BYTES = 4e6;
const ROWS_A_FETCH = 20;
const WITHIN_MS = 10_000;

/**
 * Asks.
 * @throws Failure 400 with PostgreSQL's own words, or for what takes longer than 10 s; `database_away`
 */
export async function answerTo(database: Database, statement: string, withinMs = WITHIN_MS): Promise<Answer> {
  let hasBegun = false;
  const work = readOnly(statement);
  try {
    return await database.query((sql) => {
      hasBegun = true;
      return work(sql);
    }, withinMs);
  } catch (error) {
    // While the database is away for another's statement, the words are the same.
    if (!hasBegun || whyOf(error) !== whyOf(late(withinMs))) throw error;
    throw failure.invalid(
      `the statement took longer than ${withinMs / 1000} s and was ended, for which the embedded database is started anew (no record is lost): ask for less, such as a shorter range of started_at`,
    );
  }
}

/** Asks, in a transaction of its own: not for use within another. */
function readOnly(statement: string): Work<Answer> {
  return async (sql) => {
    // The extended protocol, which takes one statement and no second one; postgres.js has the word, its types have not.
    const single: { readonly prepare?: boolean; readonly simple: boolean } = { simple: false };
    await sql.unsafe("begin read only");
    try {
      // As a superuser it could read files, too.
      await sql`select set_config('role', 'pg_read_all_data', true) from pg_roles where rolname = current_user and rolsuper`;
      await sql.unsafe(`declare answer no scroll cursor for ${statement}`, [], single);
      let columns: string[] = [];
      const rows: (string | null)[][] = [];
      let bytes = 0;
      for (;;) {
        const fetched = await sql.unsafe(`fetch ${ROWS_A_FETCH} from answer`, [], single).raw();
        columns = fetched.columns.map(({ name }) => name);
        for (const row of fetched) {
          if (rows.length === MOST_ROWS || bytes > MOST_BYTES) return { columns, rows, more: true };
          rows.push(row.map((value) => (value === null ? null : value.toString())));
          bytes += row.reduce((sum, value) => sum + (value?.length ?? 0), 0);
        }
        if (fetched.length < ROWS_A_FETCH) return { columns, rows, more: false };
      }
    } catch (error) {
      // Ours to tell: the database's keeper would take "read-only" for a standby.
      if (error instanceof postgres.PostgresError)
        throw failure.invalid(`${messageOf(error)}: a single SELECT, VALUES or TABLE statement is taken`);
      throw error;
    } finally {
      // Never a commit: it would keep what set_config was asked for.
      await sql.unsafe("rollback");
    }
  };
}
