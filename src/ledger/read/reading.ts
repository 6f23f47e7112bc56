/** Reading with the plans that fit: PostgreSQL's own choice of when to plan anew goes wrong over many partitions. */
import type { Database, Sql } from "../../database/database";

const DEADLINE_MS = 10_000;

/**
 * Looks for requests, with a plan for the very values: one for any value takes a rare model for a common one, and
 * reads everything to find it.
 */
export function looking<T>(database: Database, work: (sql: Sql) => Promise<T>): Promise<T> {
  return reading(database, "force_custom_plan", work);
}

/** Reads known requests, with one plan for all: where there are many partitions, making one takes longer than all else. */
export function fetching<T>(database: Database, work: (sql: Sql) => Promise<T>): Promise<T> {
  return reading(database, "force_generic_plan", work);
}

function reading<T>(database: Database, mode: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  return database.transaction(async (sql) => {
    // Compiling a plan of many partitions takes seconds, whatever little it reads then.
    await sql`select set_config('plan_cache_mode', ${mode}, true), set_config('jit', 'off', true)`;
    return work(sql);
  }, DEADLINE_MS);
}
