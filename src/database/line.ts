/**
 * One connection to the database, from its opening to its first fault; never used again after that.
 *
 * postgres.js 3.4.9 would reconnect by itself, but then it can hang for ever (a write timer that a closed
 * connection leaves behind), and a query on a transaction whose connection is gone throws from a timer, where
 * nobody can catch it. So a client is used for one connection only, nothing reaches it once that is gone, and
 * transactions are ours.
 */
import { Failure, failure } from "../errors";
import type { Log } from "../log";
import { faultOf, isOurDoing, late, whyOf } from "./faults";
import { Sockets } from "./sockets";
import { type Address, type Client, connect, type Sql } from "./sql";

export type Work<T> = (sql: Sql) => Promise<T>;
/** Runs a piece of work, with a deadline of its own. */
export type Run = <T>(work: Work<T>, deadlineMs: number) => Promise<T>;

export interface Terms {
  readonly transaction: boolean;
  /** Milliseconds; a query that takes longer costs the line. */
  readonly deadlineMs: number;
}

/** One work's time with the connection. */
interface Lease {
  over: boolean;
}

/** How long a server has to take the goodbye of a connection that we end. */
const GOODBYE_MS = 1000;

export class Line {
  readonly #address: Address;
  readonly #sockets = new Sockets();
  readonly #client: Client;
  /** Who waits for an answer. No promise of the line's life: each query would leave something hanging on it. */
  readonly #waiting = new Set<(reason: Failure) => void>();
  #whyDead: string | null = null;
  #fresh = true;

  /**
   * Opens at its first use.
   * @param onDead told once, when the connection ends without our asking
   */
  constructor(address: Address, log: Log, onDead: (line: Line) => void) {
    this.#address = address;
    this.#client = connect(address, {
      onclose: () => {
        if (this.#whyDead !== null) return;
        this.drop("the connection was closed");
        onDead(this);
      },
      sockets: this.#sockets,
      onnotice: (message) => log.debug({ notice: message }, "database"),
    });
  }

  get dead(): boolean {
    return this.#whyDead !== null;
  }

  /**
   * Runs the work with the tag of this connection, in a transaction where one is wanted.
   * @throws Failure `database_away` where the connection or the deadline failed, and then the line is dead;
   *   else what the work threw
   */
  async run<T>(work: Work<T>, { transaction, deadlineMs }: Terms): Promise<T> {
    this.#alive();
    const lost = Promise.withResolvers<never>();
    this.#waiting.add(lost.reject);
    const timer = setTimeout(() => this.drop(whyOf(late(deadlineMs))), deadlineMs);
    const done = this.#do(work, transaction);
    // It may fail after we stopped waiting for it.
    done.catch(() => undefined);
    try {
      return (await Promise.race([done, lost.promise])).value;
    } catch (error) {
      throw this.#judge(error);
    } finally {
      this.#waiting.delete(lost.reject);
      clearTimeout(timer);
    }
  }

  /** Ends the connection at once, whatever it is doing. */
  drop(why: string): void {
    if (this.#whyDead !== null) return;
    this.#whyDead = why;
    // A moment later: an error of the query's own, on its way through postgres.js, says more than that it is closed.
    setImmediate(() => {
      for (const reject of this.#waiting) reject(failure.database(why));
    });
    this.#client.end({ timeout: 0 }).catch(() => undefined);
    setTimeout(() => this.#sockets.destroy(), GOODBYE_MS).unref();
  }

  async #do<T>(work: Work<T>, transaction: boolean): Promise<{ value: T }> {
    if (this.#fresh) await this.#setUp();
    const lease = { over: false };
    try {
      if (!transaction) return { value: await work(this.#leased(lease)) };
      await this.#client.unsafe("begin");
      return { value: await this.#whole(work, lease) };
    } finally {
      lease.over = true;
    }
  }

  /** The work, and a commit or a rollback. postgres.js's own `begin` would send the rollback into a dead socket. */
  async #whole<T>(work: Work<T>, lease: Lease): Promise<T> {
    let value: T;
    try {
      value = await work(this.#leased(lease));
    } catch (error) {
      lease.over = true;
      this.#alive();
      await this.#client.unsafe("rollback");
      throw error;
    }
    lease.over = true;
    this.#alive();
    const { command } = await this.#client.unsafe("commit");
    // PostgreSQL answers so when a statement failed before: silence here would be a lost row that was acknowledged.
    if (command !== "COMMIT")
      throw new Error("nothing was kept: a statement failed and its error was swallowed");
    return value;
  }

  /** Has a server end what we gave up waiting for, instead of working on for nobody. Not every system's can. */
  async #setUp(): Promise<void> {
    this.#fresh = false;
    if (this.#address.kind === "embedded") return;
    try {
      await this.#client`select set_config('client_connection_check_interval', '2s', false)`;
    } catch (error) {
      if (faultOf(error) !== "own") throw error;
    }
  }

  #judge(error: unknown): unknown {
    if (error instanceof Failure && error.code === "database_away") return error;
    const fault = faultOf(error);
    // What broke says more than that it is closed, unless it broke because we closed it.
    const why =
      this.#whyDead !== null && (fault === "own" || isOurDoing(error)) ? this.#whyDead : whyOf(error);
    if (fault === "own" && this.#whyDead === null) return error;
    if (fault === "away") this.drop(why);
    return failure.database(why);
  }

  #alive(): void {
    if (this.#whyDead !== null) throw failure.database(this.#whyDead);
  }

  /** The tag, which refuses to be used once the connection is gone or the work is done. */
  #leased(lease: Lease): Sql {
    const check = () => {
      this.#alive();
      if (lease.over) throw new Error("the work with this connection is over: await every query of it");
    };
    return new Proxy<Sql>(this.#client, {
      apply: (target, self, words) => {
        check();
        return Reflect.apply(target, self, words);
      },
      get: (target, name) => {
        check();
        return Reflect.get(target, name);
      },
    });
  }
}
