/**
 * The database, as everybody else has it: a place for queries that is up or away, with a deadline on every one.
 * Behind it is a PostgreSQL server, or the embedded one in a process of its own. It never keeps anybody waiting
 * while it is away, and comes back by itself.
 */
import type { ChildRegistry } from "../children/registry";
import type { Log } from "../log";
import { KeptDatabase } from "./kept-database";
import type { Run, Work } from "./line";
import type { Migration } from "./migrations";
import type { Sql } from "./sql";

export type { Migration, Run, Sql };

export interface Database {
  readonly state: "starting" | "up" | "away";
  /** Why it is not up, in words for a person; null while it is. */
  readonly why: string | null;
  readonly kind: "embedded" | "server";
  /** Process id of the embedded database; null while it has none, and for a server. */
  readonly pid: number | null;
  /**
   * Runs queries on one connection. Waiting for a free one may take `deadlineMs`, and the work again: a work that
   * takes longer costs the connection (and the embedded database a restart).
   * @throws Failure `database_away` at once while it is not up, and when the connection or the deadline fails;
   *   PostgreSQL's own error (`PostgresError`) where a statement is refused; whatever the work throws
   */
  query<T>(work: Work<T>, deadlineMs: number): Promise<T>;
  /** The same in a transaction: undone when the work throws. A lost connection at its end leaves open whether it was kept. */
  transaction<T>(work: Work<T>, deadlineMs: number): Promise<T>;
  /**
   * Does a job in a transaction unless another server on this database is at it.
   * @param deadlineMs a minute unless told
   * @returns whether it was done here
   */
  alone(job: string, work: Work<void>, deadlineMs?: number): Promise<boolean>;
  /**
   * Holds one connection in a transaction for as long as the work takes; each piece that it runs has a deadline of its
   * own. On the embedded database everybody else waits meanwhile. Undone when the work throws.
   */
  hold<T>(work: (run: Run) => Promise<T>): Promise<T>;
  /**
   * Reads the database as it is at one moment, for as long as that takes, while it goes on. The embedded one is copied for
   * it, which takes as much of the disk as it has, and holds it up for as long as the copying takes.
   * @throws Failure `database_away` where there is no room for the copy
   */
  view<T>(work: (run: Run) => Promise<T>): Promise<T>;
  /** Begins to connect. Returns at once, and never throws. */
  start(): void;
  /**
   * Resolves when it is up and migrated for the first time. Being away is no reason to reject: it goes on trying.
   * Rejects with a Failure for what waiting won't mend: `migration_changed`, `migration_failed`, `database_newer`,
   * `database_too_old`, `half_moved`; and when it is stopped first.
   */
  readonly firstAttempt: Promise<void>;
  /** Calls the listener after each change of `state` or `why`. */
  onChange(listener: () => void): void;
  /** Ends the connections at once, and the embedded database cleanly. */
  stop(): Promise<void>;
}

export type Where =
  | {
      readonly kind: "server";
      /** `postgres://user:password@host:port/database`, with postgres.js's query parameters (`sslmode=require`). */
      readonly url: string;
      /** Most connections at once. */
      readonly max?: number;
      /** For the move itself: a database that a move was broken off into is else refused. */
      readonly mayBeHalfMoved?: true;
    }
  | {
      readonly kind: "embedded";
      /** Of the database's files. */
      readonly folder: string;
      /** How the program runs its `database` command, such as `selfCommand("database")`. */
      readonly command: readonly string[];
      /** Environment of its process; it needs none. */
      readonly environment?: Readonly<Record<string, string | undefined>>;
      readonly registry: ChildRegistry;
    };

export interface DatabaseOptions {
  readonly where: Where;
  readonly log: Log;
  /** The program's own unless told. */
  readonly migrations?: readonly Migration[];
  /** Milliseconds between two looks at a quiet database; 5 seconds. */
  readonly heartbeatMs?: number;
  /** Embedded: milliseconds between two checkpoints, a minute; and between two looks at what wants a vacuum, an hour. */
  readonly checkpointEveryMs?: number;
  readonly vacuumEveryMs?: number;
}

/**
 * A database, not yet started.
 * @throws Failure `wrong_setting` for a URL that can't be read, `migrations_wrong` for migrations that have gaps
 */
export function openDatabase(options: DatabaseOptions): Database {
  return new KeptDatabase(options);
}
