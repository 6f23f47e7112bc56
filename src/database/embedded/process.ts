/** The embedded database as a child process of the server's: started, kept, restarted, and where its socket is. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Child } from "../../children/child";
import { signalProcess } from "../../children/processes";
import type { ChildRegistry } from "../../children/registry";
import type { Log } from "../../log";
import { removeSocket } from "./socket";
import { heard, PASSING } from "./words";

export interface EmbeddedOptions {
  /** Of the database's files; beside it are its lock and, while it is made, its unfinished form. */
  readonly folder: string;
  /** How the program runs its `database` command; folder and socket path are added. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether it is a copy that nobody needs after this, and that is not synced. */
  readonly isPassing?: true;
  readonly registry: ChildRegistry;
  readonly log: Log;
  /** Told when it changes whether it works, and why not. */
  readonly onChange: () => void;
}

/** The longest socket path that every system takes is 103 bytes. */
const LONGEST_FOLDER = 80;
const STOP_WITHIN_MS = 5000;
/** A first start takes seconds; so does a recovery, but on a slow disk it may be minutes. */
const READY_WITHIN_MS = 300_000;

/** A folder for a socket, where one can be had. @param data the database's own, whose parent is the last resort */
function makeSocketFolder(data: string): string {
  const places = [resolve(tmpdir()), "/tmp", resolve(dirname(data))].filter(
    (place) => place.length < LONGEST_FOLDER,
  );
  for (const [index, place] of places.entries()) {
    try {
      // mkdtemp makes it 0700: nobody else gets at the socket.
      return mkdtempSync(join(place, "corral-"));
    } catch (error) {
      if (index === places.length - 1) throw error;
    }
  }
  throw new Error(`no folder for a socket: ${tmpdir()} and ${data} are longer than a socket's path may be`);
}

export class EmbeddedProcess {
  readonly #options: EmbeddedOptions;
  readonly #child: Child;
  #socketPath: string | null = null;
  #ready = false;
  #making = false;
  #lastWords: string | null = null;
  #rest = "";

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    const newRun = () => this.#newRun();
    this.#child = new Child({
      name: "embedded database",
      // Read once a start: each gets a fresh folder, since a stale socket makes pglite-socket spin (traps.md).
      get command() {
        return newRun();
      },
      environment: options.environment,
      // Only whether it has begun: whether it goes on is asked through the one connection that there is, by the
      // Database, which knows how long the work that holds that connection may take.
      probe: () => Promise.resolve(this.#ready),
      probeEveryMs: 1000,
      probeWithinMs: 1000,
      probeMisses: 5,
      readyWithinMs: READY_WITHIN_MS,
      output: (chunk) => this.#hear(chunk),
      stdin: "pipe",
      registry: options.registry,
      log: options.log,
      advice: `Look at the folder ${options.folder} and the room on its disk`,
      backoffMs: 250,
    });
    this.#child.onChange(options.onChange);
  }

  get up(): boolean {
    return this.#child.state === "ready";
  }
  get pid(): number | null {
    return this.#child.pid;
  }
  /** Grows with each start. */
  get run(): number {
    return this.#child.run;
  }
  /** Whether it crashed and is waiting to be started again, or was given up. */
  get broken(): boolean {
    return this.#child.state === "waiting" || this.failed;
  }
  /** Whether it was given up after too many crashes; `restart` tries again. */
  get failed(): boolean {
    return this.#child.state === "failed";
  }
  /** Why it does not work, or what it is doing first. */
  get why(): string | null {
    if (this.up) return null;
    if (this.#making && this.#child.state === "starting") return "making a new database (once)";
    const why = this.#child.why;
    return this.#lastWords === null ? why : `${why ?? "it does not start"}: ${this.#lastWords}`;
  }

  start(): void {
    this.#child.start();
  }

  /**
   * Waits until it takes connections.
   * @returns the path of its socket
   * @throws Failure when it was given up or stopped; the signal's reason when aborted
   */
  async ready(signal: AbortSignal): Promise<string> {
    await this.#child.ready(signal);
    if (this.#socketPath === null) throw new Error("ready without a socket");
    return this.#socketPath;
  }

  /** Starts it anew, at once: one that is stuck can't heed SIGTERM, and none loses what it has acknowledged. */
  restart(why: string): void {
    const stuck = this.#child.pid;
    this.#child.restart(why);
    if (stuck !== null) signalProcess(-stuck, "SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#child.stop(STOP_WITHIN_MS);
    this.#removeSocket();
  }

  #newRun(): string[] {
    this.#removeSocket();
    this.#ready = false;
    this.#making = false;
    this.#rest = "";
    const folder = makeSocketFolder(this.#options.folder);
    this.#socketPath = join(folder, "db");
    const words = [this.#options.folder, this.#socketPath];
    return [...this.#options.command, ...words, ...(this.#options.isPassing ? [PASSING] : [])];
  }

  #removeSocket(): void {
    if (this.#socketPath !== null) removeSocket(this.#socketPath);
    this.#socketPath = null;
  }

  #hear(chunk: Uint8Array): void {
    const lines = (this.#rest + new TextDecoder().decode(chunk)).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const said = heard(line);
      if (said === null) {
        if (line.trim() !== "") this.#options.log.debug({ line }, "embedded database");
        continue;
      }
      if (said.word === "ready") this.#ready = true;
      this.#making = said.word === "making";
      this.#lastWords = said.word === "failed" ? said.text : null;
      if (said.word !== "closed") this.#options.onChange();
    }
  }
}
