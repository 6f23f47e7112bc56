/** The database's keeper: connects, stays, notices faults, and connects again. */
import { asFailure, Failure, failure, messageOf } from "../errors";
import type { Database, DatabaseOptions } from "./database";
import { keepCopy, removeLeftCopies } from "./embedded/copies";
import { EmbeddedProcess } from "./embedded/process";
import { Upkeep } from "./embedded/upkeep";
import { viewCopy } from "./embedded/view";
import { whyOf } from "./faults";
import type { Run, Terms, Work } from "./line";
import { Lines } from "./lines";
import {
  inOrder,
  isFatalMigration,
  type Migration,
  migrate,
  ownMigrations,
  pendingMigrations,
} from "./migrations";
import { requireServer, requireUrl, requireWhole } from "./server";
import type { Address } from "./sql";

const CHECK_WITHIN_MS = 10_000;
const MIGRATE_WITHIN_MS = 600_000;
const ALONE_WITHIN_MS = 60_000;
const HOLD_WAIT_MS = 60_000;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 5000;
/** The embedded database was given up after crash upon crash: asked again after this, since a disk may have room again. */
const TRY_AGAIN_MS = 30_000;
/** How long a dying embedded database has to be noticed as such before it is taken for a stuck one. */
const DYING_MS = 100;

export class KeptDatabase implements Database {
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

  async hold<T>(work: (run: Run) => Promise<T>, begin = "begin"): Promise<T> {
    const lines = this.#upLines();
    return lines.hold(begin, work, HOLD_WAIT_MS, (error) => this.#onFault(lines, whyOf(error)));
  }

  async view<T>(work: (run: Run) => Promise<T>): Promise<T> {
    const { where, log } = this.#options;
    const begin = "begin isolation level repeatable read, read only";
    if (where.kind === "server") return this.hold(work, begin);
    const query = <U>(piece: Work<U>, deadlineMs: number) => this.query(piece, deadlineMs);
    return viewCopy({ environment: {}, ...where, log }, begin, query, work, this.#stop.signal);
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  start(): void {
    if (this.#keeping !== null || this.#stop.signal.aborted) return;
    this.#become("starting", "it is starting");
    if (this.#options.where.kind === "embedded")
      removeLeftCopies(this.#options.where.folder, this.#options.log);
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

  async #use<T>(work: Work<T>, terms: Terms): Promise<T> {
    return this.#useOf(this.#upLines(), work, terms);
  }

  #upLines(): Lines {
    if (this.#state !== "up" || this.#lines === null) throw failure.database(this.#why ?? "it is not up");
    return this.#lines;
  }

  #useOf<T>(lines: Lines, work: Work<T>, terms: Terms): Promise<T> {
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
          error instanceof Failure &&
          (isFatalMigration(error) || ["database_too_old", "half_moved"].includes(error.code));
        this.#become("away", this.#embedded?.why ?? whyOf(error));
        if (isFatal && !this.#everUp) return this.#first.reject(asFailure(error));
      } finally {
        (lines ?? this.#lines)?.close(false);
        this.#lines = null;
      }
      await this.#sleep(this.#embedded?.failed === true ? TRY_AGAIN_MS : backoff);
      if (this.#stop.signal.aborted) return;
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
    if (where.kind === "server") {
      await this.#useOf(lines, requireServer, check);
      if (!where.mayBeHalfMoved) await this.#useOf(lines, requireWhole, check);
    }
    const pending = await this.#useOf(lines, (sql) => pendingMigrations(sql, this.#migrations), check);
    if (pending === 0) return lines;
    const made = this.#migrations.length - pending;
    // What is new holds nothing to go back to.
    if (where.kind === "embedded" && made > 0) {
      this.#become(this.#state, "its files are being copied before a migration");
      const keep: Work<void> = (sql) => keepCopy(sql, where.folder, made, log);
      await this.#useOf(lines, keep, { transaction: false, deadlineMs: MIGRATE_WITHIN_MS });
    }
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
