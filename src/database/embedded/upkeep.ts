/**
 * What PostgreSQL's background processes would do, and PGlite has none of: checkpoints, so that the log of changes
 * is not kept for ever, and vacuum and analyze. All of it goes through the one connection like everybody's queries,
 * between their transactions and never inside one.
 */
import { messageOf } from "../../errors";
import type { Log } from "../../log";
import type { Run, Work } from "../line";

export interface UpkeepOptions {
  /** Milliseconds from one checkpoint to the next, where something was written. */
  readonly checkpointEveryMs: number;
  readonly vacuumEveryMs: number;
  readonly log: Log;
}

/** A checkpoint comes early after as much of the log; a crash then has no more than about this to go through. */
const CHECKPOINT_BYTES = 64 * 2 ** 20;
const ASK_WITHIN_MS = 10_000;
/** The table is read while everybody waits: a minute is for gigabytes. */
const WORK_WITHIN_MS = 120_000;

interface Needy {
  name: string;
  vacuum: boolean;
}

export class Upkeep {
  readonly #options: UpkeepOptions;
  /** Position in the log after the last checkpoint, in bytes; null: not known, so the first look takes one. */
  #position: number | null = null;
  #checkpointAt = performance.now();
  #vacuumAt = performance.now();

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** Does what is due; called every few seconds. Never throws: what can't be done now is due the next time. */
  async tick(run: Run): Promise<void> {
    try {
      await this.#checkpoint(run);
      if (performance.now() - this.#vacuumAt < this.#options.vacuumEveryMs) return;
      this.#vacuumAt = performance.now();
      for (const table of await run(needy, ASK_WITHIN_MS)) {
        // One statement a table, so that others get their turn in between.
        await run(
          (sql) => sql.unsafe(`${table.vacuum ? "vacuum (analyze)" : "analyze"} ${table.name}`),
          WORK_WITHIN_MS,
        );
        this.#options.log.debug({ table: table.name, vacuum: table.vacuum }, "database tidied");
      }
    } catch (error) {
      this.#options.log.debug({ error: messageOf(error) }, "the database's upkeep is put off");
    }
  }

  async #checkpoint(run: Run): Promise<void> {
    const position = await run(positionInLog, ASK_WITHIN_MS);
    const written = this.#position === null ? CHECKPOINT_BYTES : position - this.#position;
    const due = performance.now() - this.#checkpointAt >= this.#options.checkpointEveryMs;
    if (written <= 0 || (written < CHECKPOINT_BYTES && !due)) return;
    this.#position = await run(async (sql) => {
      await sql`checkpoint`;
      return positionInLog(sql);
    }, WORK_WITHIN_MS);
    this.#checkpointAt = performance.now();
  }
}

const positionInLog: Work<number> = async (sql) => {
  const [row] = await sql<{ bytes: number }[]>`select (pg_current_wal_insert_lsn() - '0/0')::bigint as bytes`;
  return row?.bytes ?? 0;
};

/**
 * Tables that autovacuum would look after: by its own thresholds, but tables that only grow are just analyzed
 * until their rows get old. PostgreSQL's own tables are among them.
 */
const needy: Work<Needy[]> = async (sql) =>
  sql<Needy[]>`
    select name, vacuum from (
      select format('%I.%I', s.schemaname, s.relname) as name,
        s.n_dead_tup > 50 + 0.2 * c.reltuples or age(c.relfrozenxid) > 150000000 as vacuum,
        s.n_mod_since_analyze > 50 + 0.1 * c.reltuples as stale
      from pg_stat_all_tables s join pg_class c on c.oid = s.relid
      where c.relkind in ('r', 'm') and s.schemaname <> 'pg_toast'
    ) as tables
    where vacuum or stale`;
