/**
 * One way to keep any child process, Ollama and the embedded database alike: started in a session of its own,
 * ready when it has answered (never after a sleep), its output always drained, restarted with back-off when it
 * dies or stops answering, given up after too many crashes in a row, and stopped together with its whole group.
 */
import { failure, messageOf } from "../errors";
import type { Log } from "../log";
import { groupMembers, signalProcess } from "./processes";
import type { ChildRegistry } from "./registry";
import { sleepUnless, within } from "./wait";

/** stopped: not wanted. starting: not yet ready. waiting: it crashed, back-off. failed: given up until asked again. */
export type ChildState = "stopped" | "starting" | "ready" | "waiting" | "failed";

type Environment = Readonly<Record<string, string | undefined>>;

export interface ChildOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** A function is asked at each start. */
  readonly environment: Environment | (() => Environment);
  /** Asks the child whether it works. Anything but true, a throw included, is no. */
  readonly probe: (signal: AbortSignal) => Promise<boolean>;
  /** Its output, as it comes. */
  readonly output: (chunk: Uint8Array) => void;
  /** Longest time from start to ready; then it is ended and counts as crashed. */
  readonly readyWithinMs: number;
  /** How often a ready child is asked again, how long one answer may take, how many misses in a row end it. */
  readonly probeEveryMs: number;
  readonly probeWithinMs: number;
  readonly probeMisses: number;
  /** A child that dies with its parent reads this pipe's end. */
  readonly stdin: "pipe" | "ignore";
  readonly registry: ChildRegistry;
  readonly log: Log;
  /** What to look at when it crashes again and again: ends the sentence of `why`. */
  readonly advice: string;
  /** First wait after a crash; each further one doubles it. */
  readonly backoffMs?: number;
}

const MOST_CRASHES_IN_A_ROW = 5;
const STABLE_AFTER_MS = 60_000;
const LONGEST_BACKOFF_MS = 15_000;
/** What was killed is gone within moments, unless the system has it in a wait that nothing interrupts. */
const GONE_WITHIN_MS = 1000;

export class Child {
  #state: ChildState = "stopped";
  #why: string | null = null;
  #process: Bun.Subprocess | null = null;
  #run = 0;
  #readyAt: number | null = null;
  #wanted = false;
  #wake: (() => void) | null = null;
  #restarting: string | null = null;
  #supervision: Promise<void> | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(readonly options: ChildOptions) {}

  get state(): ChildState {
    return this.#state;
  }
  /** Why it is not ready, in words for a person; null while all is well. */
  get why(): string | null {
    return this.#why;
  }
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }
  /** How often it was started: grows with each start. */
  get run(): number {
    return this.#run;
  }
  /** Milliseconds of the monotonic clock at which it became ready, or null. */
  get readyAt(): number | null {
    return this.#readyAt;
  }

  /** Calls the listener after each change of state. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Begins to keep it running. Returns at once: `ready` waits. */
  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#become("starting", null);
    this.#supervision = this.#supervise();
  }

  /**
   * Waits until it is ready.
   * @throws Failure `child_failed` when it was given up or stopped; the signal's reason when aborted
   */
  async ready(signal: AbortSignal): Promise<void> {
    while (this.#state !== "ready") {
      signal.throwIfAborted();
      if (this.#state === "failed" || this.#state === "stopped") {
        throw failure.start("child_failed", this.#why ?? `${this.options.name} is not running`);
      }
      await this.#nextChange(signal);
    }
  }

  /** Ends it and starts it anew, without back-off and with its crashes forgotten. */
  restart(why: string): void {
    if (!this.#wanted) {
      this.start();
      return;
    }
    this.#restarting = why;
    this.#become("starting", `${this.options.name} is being restarted (${why})`);
    if (this.#process) void this.#end(this.#process, 5000);
    this.#wake?.();
  }

  /** Stops it: SIGTERM to the leader, a wait, SIGKILL to the group. Resolves when nothing of it is left. */
  async stop(graceMs: number): Promise<void> {
    this.#wanted = false;
    this.#wake?.();
    if (this.#process) await this.#end(this.#process, graceMs);
    await this.#supervision;
    this.#become("stopped", null);
  }

  async #supervise(): Promise<void> {
    let crashes = 0;
    while (this.#wanted) {
      const ended = await this.#runOnce();
      if (!this.#wanted) break;
      if (this.#restarting !== null) {
        this.options.log.info({ child: this.options.name, why: this.#restarting }, "restarting");
        this.#restarting = null;
        crashes = 0;
        continue;
      }
      crashes = ended.stable ? 1 : crashes + 1;
      if (crashes >= MOST_CRASHES_IN_A_ROW) {
        this.#become(
          "failed",
          `${ended.why}, ${crashes} times in a row: no more restarts until asked. ${this.options.advice}`,
        );
        await this.#sleep(Number.POSITIVE_INFINITY);
      } else {
        const backoff = Math.min((this.options.backoffMs ?? 500) * 2 ** (crashes - 1), LONGEST_BACKOFF_MS);
        this.#become("waiting", `${ended.why}. It is being restarted`);
        await this.#sleep(backoff * (0.75 + Math.random() / 2));
      }
      if (this.#restarting !== null) crashes = 0;
      this.#restarting = null;
    }
  }

  /** One life of the child, from its start to its end. */
  async #runOnce(): Promise<{ why: string; stable: boolean }> {
    const { name, environment, registry, stdin } = this.options;
    this.#run++;
    let child: Bun.Subprocess<"pipe" | "ignore", "pipe", "pipe">;
    try {
      // Read in here: a command that is made anew for each start can fail as the start itself can.
      child = Bun.spawn([...this.options.command], {
        env: typeof environment === "function" ? environment() : environment,
        stdin,
        stdout: "pipe",
        stderr: "pipe",
        // A session of its own: a Ctrl-C in the terminal reaches only us, and its group can be ended as one.
        detached: true,
      });
    } catch (error) {
      return { why: `${name} can't be started (${messageOf(error)})`, stable: false };
    }
    this.#process = child;
    registry.add(name, child.pid);
    // In a session of its own it would outlive us when we end without a stop: an exception, a process.exit.
    const endWithUs = () => signalProcess(-child.pid, "SIGKILL");
    process.once("exit", endWithUs);
    this.#become("starting", this.#why);
    const drained = Promise.all([this.#drain(child.stdout), this.#drain(child.stderr)]);
    const startedAt = performance.now();
    const life = new AbortController();
    const watched = this.#watch(child, startedAt, life.signal);
    const code = await child.exited;
    life.abort();
    // What the leader left behind (Ollama's runners) goes with it.
    signalProcess(-child.pid, "SIGKILL");
    for (const until = performance.now() + GONE_WITHIN_MS; performance.now() < until; await Bun.sleep(5))
      if (groupMembers(child.pid).length === 0) break;
    process.off("exit", endWithUs);
    this.#process = null;
    registry.remove(name);
    const ending = await watched;
    const stable = this.#readyAt !== null && performance.now() - this.#readyAt > STABLE_AFTER_MS;
    this.#readyAt = null;
    await within(drained, 1000);
    return { why: ending ?? `${name} ended by itself (${child.signalCode ?? `exit code ${code}`})`, stable };
  }

  /** Waits for the first answer and then keeps asking. Ends the child when no answer comes; says why it did. */
  async #watch(child: Bun.Subprocess, startedAt: number, life: AbortSignal): Promise<string | null> {
    const { name, readyWithinMs, probeEveryMs, probeMisses } = this.options;
    let misses = 0;
    while (!life.aborted) {
      const answered = await this.#probe(life);
      if (life.aborted || this.#restarting !== null || !this.#wanted) return null;
      if (answered) {
        misses = 0;
        if (this.#state !== "ready") {
          this.#readyAt = performance.now();
          this.#become("ready", null);
        }
      } else if (this.#readyAt === null) {
        if (performance.now() - startedAt > readyWithinMs) {
          void this.#end(child, 1000);
          return `${name} was not ready within ${Math.round(readyWithinMs / 1000)} s`;
        }
      } else if (++misses >= probeMisses) {
        void this.#end(child, 1000);
        return `${name} stopped answering`;
      }
      await sleepUnless(life, this.#readyAt === null ? Math.min(50, probeEveryMs) : probeEveryMs);
    }
    return null;
  }

  async #probe(life: AbortSignal): Promise<boolean> {
    const signal = AbortSignal.any([life, AbortSignal.timeout(this.options.probeWithinMs)]);
    const { promise: late, resolve } = Promise.withResolvers<false>();
    signal.addEventListener("abort", () => resolve(false), { once: true });
    return Promise.race([this.options.probe(signal).catch(() => false), late]);
  }

  async #drain(stream: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of stream) this.options.output(chunk);
    } catch (error) {
      this.options.log.debug({ child: this.options.name, error: messageOf(error) }, "its output broke off");
    }
  }

  async #end(child: Bun.Subprocess, graceMs: number): Promise<void> {
    signalProcess(child.pid, "SIGTERM");
    if (!(await within(child.exited, graceMs))) signalProcess(-child.pid, "SIGKILL");
    await child.exited;
  }

  #become(state: ChildState, why: string | null): void {
    const before = this.#state;
    this.#state = state;
    this.#why = why;
    if (before !== state) {
      const bad = state === "waiting" || state === "failed";
      this.options.log[bad ? "warn" : "info"](
        { child: this.options.name, pid: this.pid, run: this.#run, ...(why ? { why } : {}) },
        `${this.options.name} ${state}`,
      );
    }
    for (const listener of this.#listeners) listener();
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const once = () => {
      this.#listeners.delete(once);
      signal.removeEventListener("abort", once);
      resolve();
    };
    this.#listeners.add(once);
    signal.addEventListener("abort", once, { once: true });
    return promise;
  }

  /** Sleeps until the time is over or something wakes it: a restart on request, or the stop. */
  async #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
    this.#wake = resolve;
    if (!this.#wanted || this.#restarting !== null) resolve();
    await promise;
    clearTimeout(timer);
    this.#wake = null;
  }
}
