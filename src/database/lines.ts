/** The connections to one database: at most so many, handed out in the order of asking, opened when needed. */
import { failure } from "../errors";
import type { Log } from "../log";
import { busy } from "./faults";
import { Line, type Run, type Terms, type Work } from "./line";
import type { Address } from "./sql";

const CLOSED = "its connections are closed";
/** What was written is synced by then, however much it was. */
const COMMIT_WITHIN_MS = 600_000;

export interface LinesOptions {
  readonly address: Address;
  readonly log: Log;
  readonly max: number;
  /** Told when a connection that nobody was using ended. */
  readonly onIdleLoss: () => void;
}

export class Lines {
  readonly #options: LinesOptions;
  readonly #idle: Line[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #lines = new Set<Line>();
  #taken = 0;
  #closed = false;

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  /** Whether nobody uses a connection now. */
  get quiet(): boolean {
    return this.#taken === 0;
  }

  /**
   * Runs the work on a connection of its own. Waiting for a free one is bounded by the deadline, and the work is
   * again by the same: a slow neighbour must not make this one's connection look broken.
   * @returns what the work returns
   * @throws Failure `database_away`, and whatever the work throws
   * @param onFault told of a connection that had to be given up, before the failure is thrown
   */
  async use<T>(work: Work<T>, terms: Terms, onFault: (error: unknown) => void): Promise<T> {
    await this.#place(terms.deadlineMs);
    if (this.#closed) {
      this.#leave();
      throw failure.database(CLOSED);
    }
    const line = this.#idle.pop() ?? this.#open();
    try {
      return await line.run(work, terms);
    } catch (error) {
      if (line.dead) onFault(error);
      throw error;
    } finally {
      this.#giveBack(line);
      this.#leave();
    }
  }

  /**
   * Holds a connection in one transaction for as long as the work takes; each piece of it has a deadline of its own.
   * Undone when the work throws.
   * @param begin the statement that begins it
   * @param waitMs longest wait for a free connection
   */
  async hold<T>(
    begin: string,
    work: (run: Run) => Promise<T>,
    waitMs: number,
    onFault: (error: unknown) => void,
  ): Promise<T> {
    await this.#place(waitMs);
    const line = this.#closed ? null : (this.#idle.pop() ?? this.#open());
    const run: Run = async (piece, deadlineMs) => {
      if (line === null) throw failure.database(CLOSED);
      try {
        return await line.run(piece, { transaction: false, deadlineMs });
      } catch (error) {
        if (line.dead) onFault(error);
        throw error;
      }
    };
    try {
      await run((sql) => sql.unsafe(begin), waitMs);
      try {
        const value = await work(run);
        const { command } = await run((sql) => sql.unsafe("commit"), COMMIT_WITHIN_MS);
        if (command !== "COMMIT")
          throw new Error("nothing was kept: a statement failed and its error was swallowed");
        return value;
      } catch (error) {
        if (line?.dead === false) await run((sql) => sql.unsafe("rollback"), COMMIT_WITHIN_MS);
        throw error;
      }
    } finally {
      if (line !== null) this.#giveBack(line);
      this.#leave();
    }
  }

  /** Ends the connections that nobody uses, and each other one when it is free; with `hard` all at once. */
  close(hard: boolean): void {
    this.#closed = true;
    for (const line of hard ? this.#lines : this.#idle) line.drop(CLOSED);
    this.#idle.length = 0;
  }

  #giveBack(line: Line): void {
    if (this.#closed) line.drop(CLOSED);
    if (line.dead) this.#lines.delete(line);
    else this.#idle.push(line);
  }

  #open(): Line {
    const { address, log, onIdleLoss } = this.#options;
    const line = new Line(address, log, () => {
      this.#lines.delete(line);
      const at = this.#idle.indexOf(line);
      if (at === -1) return;
      this.#idle.splice(at, 1);
      onIdleLoss();
    });
    this.#lines.add(line);
    return line;
  }

  async #place(withinMs: number): Promise<void> {
    if (this.#taken < this.#options.max) {
      this.#taken++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const timer = setTimeout(() => {
      this.#waiting.delete(resolve);
      reject(busy(withinMs));
    }, withinMs);
    await promise.finally(() => clearTimeout(timer));
  }

  #leave(): void {
    const [next] = this.#waiting;
    // The place passes on from hand to hand, so that nobody who comes now gets in between.
    if (next === undefined) this.#taken--;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}
