/**
 * The database, as everybody else has it: a place for queries that is up or away, with a deadline on every one.
 * Behind it is a PostgreSQL server, or the embedded one in a process of its own. It never keeps anybody waiting
 * while it is away, and comes back by itself.
 */

import type { ChildRegistry } from "../children/registry";
import { asFailure, Failure, failure, messageOf } from "../errors";
import type { Log } from "../log";
import { EmbeddedProcess } from "./embedded/process";
import { Upkeep } from "./embedded/upkeep";
import { whyOf } from "./faults";
import type { Work } from "./line";
import { Lines } from "./lines";
import {
  inOrder,
  isFatalMigration,
  type Migration,
  migrate,
  ownMigrations,
  pendingMigrations,
} from "./migrations";
import { requireServer } from "./server";
import type { Address, Sql } from "./sql";

export type { Migration, Sql };

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
  /** Begins to connect. Returns at once, and never throws. */
  start(): void;
  /**
   * Resolves when it is up and migrated for the first time. Being away is no reason to reject: it goes on trying.
   * Rejects with a Failure for what waiting won't mend: `migration_changed`, `migration_failed`, `database_newer`,
   * `database_too_old`; and when it is stopped first.
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

const CHECK_WITHIN_MS = 10_000;
const MIGRATE_WITHIN_MS = 600_000;
const ALONE_WITHIN_MS = 60_000;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 5000;
/** The embedded database was given up after crash upon crash: asked again after this, since a disk may have room again. */
const TRY_AGAIN_MS = 30_000;
/** How long a dying embedded database has to be noticed as such before it is taken for a stuck one. */
const DYING_MS = 100;

/**
 * A database, not yet started.
 * @throws Failure `wrong_setting` for a URL that can't be read, `migrations_wrong` for migrations that have gaps
 */
export function openDatabase(options: DatabaseOptions): Database {
  return new KeptDatabase(options);
}

class KeptDatabase implements Database {
  readonly kind: "embedded" | "server";
  readonly firstAttempt: Promise<void>;
  readonly #options: DatabaseOptions;
  readonly #migrations: readonly Migration[];
  readonly #embedded: EmbeddedProcess | null;
  readonly #first = Promise.withResolvers<void>();
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  #state: Database["state"] = "starting";
  #why: string | null = "it has not been started";
  #lines: Lines | null = null;
  #everUp = false;
  /** What is wrong with the present connections; null: nothing. */
  #fault: string | null = null;
  #wake: (() => void) | null = null;
  #keeping: Promise<void> | null = null;

  constructor(options: DatabaseOptions) {
    const { where, log } = options;
    this.#options = options;
    this.#migrations = inOrder(options.migrations ?? ownMigrations());
    this.kind = where.kind;
    this.firstAttempt = this.#first.promise;
    // Whoever waits for it is told; nobody has to.
    this.firstAttempt.catch(() => undefined);
    if (where.kind === "server") requireUrl(where.url);
    this.#embedded =
      where.kind === "embedded"
        ? new EmbeddedProcess({ environment: {}, ...where, log, onChange: () => this.#onProcess() })
        : null;
  }

  get state(): Database["state"] {
    return this.#state;
  }
  get why(): string | null {
    return this.#why;
  }
  get pid(): number | null {
    return this.#embedded?.pid ?? null;
  }

  query<T>(work: Work<T>, deadlineMs: number): Promise<T> {
    return this.#use(work, { transaction: false, deadlineMs });
  }

  transaction<T>(work: Work<T>, deadlineMs: number): Promise<T> {
    return this.#use(work, { transaction: true, deadlineMs });
  }

  alone(job: string, work: Work<void>, deadlineMs = ALONE_WITHIN_MS): Promise<boolean> {
    return this.transaction(async (sql) => {
      // On the embedded one this is always granted: there is only one program.
      const [lock] = await sql<{ got: boolean }[]>`
        select pg_try_advisory_xact_lock(hashtextextended(${`corral ${job}`}, 0)) as got`;
      if (lock?.got !== true) return false;
      await work(sql);
      return true;
    }, deadlineMs);
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  start(): void {
    if (this.#keeping !== null || this.#stop.signal.aborted) return;
    this.#become("starting", "it is starting");
    this.#embedded?.start();
    this.#keeping = this.#keep().catch((error: unknown) => {
      // Nothing is known to get here: a fault of our own must not end the program.
      this.#options.log.error({ error: messageOf(error) }, "the database is no longer looked after");
      this.#become("away", messageOf(error));
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort(failure.stopping());
    this.#first.reject(failure.stopping());
    this.#lines?.close(true);
    this.#break("it is stopped");
    await this.#embedded?.stop();
    await this.#keeping;
    this.#become("away", "it is stopped");
  }

  async #use<T>(work: Work<T>, terms: { transaction: boolean; deadlineMs: number }): Promise<T> {
    if (this.#state !== "up" || this.#lines === null) throw failure.database(this.#why ?? "it is not up");
    return this.#useOf(this.#lines, work, terms);
  }

  #useOf<T>(lines: Lines, work: Work<T>, terms: { transaction: boolean; deadlineMs: number }): Promise<T> {
    return lines.use(work, terms, (error) => this.#onFault(lines, whyOf(error)));
  }

  /** Connects, stays until a fault, and connects again. */
  async #keep(): Promise<void> {
    let backoff = 0;
    while (!this.#stop.signal.aborted) {
      let lines: Lines | null = null;
      try {
        lines = await this.#connect();
        const upAt = performance.now();
        const why = await this.#stay(lines);
        if (performance.now() - upAt > LONGEST_BACKOFF_MS) backoff = 0;
        this.#become("away", why);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const isFatal =
          error instanceof Failure && (isFatalMigration(error) || error.code === "database_too_old");
        this.#become("away", this.#embedded?.why ?? whyOf(error));
        if (isFatal && !this.#everUp) return this.#first.reject(asFailure(error));
      } finally {
        (lines ?? this.#lines)?.close(false);
        this.#lines = null;
      }
      await this.#sleep(this.#embedded?.failed === true ? TRY_AGAIN_MS : backoff);
      if (this.#embedded?.failed === true) this.#embedded.restart("trying again");
      backoff = Math.min(Math.max(FIRST_BACKOFF_MS, backoff * 2), LONGEST_BACKOFF_MS);
    }
  }

  /** A database that answers, is new enough, and has every migration. */
  async #connect(): Promise<Lines> {
    const { where, log } = this.#options;
    const address: Address =
      where.kind === "server"
        ? where
        : { kind: "embedded", socketPath: (await this.#embedded?.ready(this.#stop.signal)) ?? "" };
    this.#stop.signal.throwIfAborted();
    const lines = new Lines({
      address,
      log,
      max: where.kind === "server" ? (where.max ?? 8) : 1,
      onIdleLoss: () => this.#wake?.(),
    });
    this.#lines = lines;
    this.#fault = null;
    const check = { transaction: false, deadlineMs: CHECK_WITHIN_MS };
    if (where.kind === "server") await this.#useOf(lines, requireServer, check);
    const pending = await this.#useOf(lines, (sql) => pendingMigrations(sql, this.#migrations), check);
    if (pending === 0) return lines;
    const applied = await migrate(
      (work) => this.#useOf(lines, work, { transaction: true, deadlineMs: MIGRATE_WITHIN_MS }),
      this.#migrations,
    );
    for (const { number, name } of applied) log.info({ number, name }, "migration applied");
    return lines;
  }

  /** Is up until something is wrong; says what. Looks now and then whether it still is. */
  async #stay(lines: Lines): Promise<string> {
    const { heartbeatMs = 5000, checkpointEveryMs = 60_000, vacuumEveryMs = 3_600_000, log } = this.#options;
    const upkeep = this.#embedded && new Upkeep({ checkpointEveryMs, vacuumEveryMs, log });
    const run = <T>(work: Work<T>, deadlineMs: number) =>
      this.#useOf(lines, work, { transaction: false, deadlineMs });
    this.#everUp = true;
    this.#become("up", null);
    this.#first.resolve();
    while (this.#fault === null) {
      await this.#sleep(Math.min(heartbeatMs, checkpointEveryMs));
      if (this.#fault !== null) break;
      try {
        if (lines.quiet) await run((sql) => sql`select 1`, CHECK_WITHIN_MS);
      } catch (error) {
        return whyOf(error);
      }
      await upkeep?.tick(run);
    }
    return this.#fault;
  }

  #onFault(lines: Lines, why: string): void {
    if (this.#stop.signal.aborted || lines !== this.#lines) return;
    const run = this.#embedded?.run;
    if (this.#state === "up") this.#become("away", why);
    this.#break(why);
    // A connection of the embedded one never breaks while all is well in there, and only a new start mends it.
    setTimeout(() => {
      if (!this.#stop.signal.aborted && this.#embedded?.up === true && this.#embedded.run === run) {
        this.#embedded.restart(why);
      }
    }, DYING_MS);
  }

  /** The embedded database's process has something to say. */
  #onProcess(): void {
    const process = this.#embedded;
    if (process === null || process.up || this.#stop.signal.aborted) return;
    const why = process.why ?? "it is starting";
    if (this.#state === "up") this.#break(why);
    this.#become(this.#state === "starting" && !process.broken ? "starting" : "away", why);
  }

  #become(state: Database["state"], why: string | null): void {
    const before = this.#state;
    if (before === state && this.#why === why) return;
    this.#state = state;
    this.#why = why;
    const said = { kind: this.kind, ...(why === null ? {} : { why }) };
    if (before !== state && state === "away" && !this.#stop.signal.aborted)
      this.#options.log.warn(said, "database away");
    else if (before !== state) this.#options.log.info(said, `database ${state}`);
    else this.#options.log.debug(said, `database ${state}`);
    for (const listener of this.#listeners) listener();
  }

  /** The present connections are no good. */
  #break(why: string): void {
    this.#fault ??= why;
    this.#wake?.();
  }

  /** Sleeps until the time is over or there is something to look at. */
  async #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, this.#stop.signal.aborted ? 0 : ms);
    await promise;
    clearTimeout(timer);
    this.#wake = null;
  }
}

/** Whether it can be read at all: the errors of those who try hold the whole URL, password and all. */
function requireUrl(url: string): void {
  try {
    const { username, password, hostname } = new URL(url);
    decodeURIComponent(username + password + hostname);
  } catch {
    throw failure.setting(
      "DATABASE_URL",
      "(not shown: it may hold a password)",
      "a URL such as postgres://user:password@host:5432/corral, with special characters of the password written as %40 and so on",
    );
  }
}
