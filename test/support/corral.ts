/** Starts Corral as people do, as a real process, for tests of anything. */
import { afterAll, beforeAll, describe } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeServer } from "./databases";
import { embeddedTemplate } from "./embedded-template";
import { runServer } from "./postgres";
import { builtProgram } from "./program";
import { scratchFolder } from "./scratch";
import { freePort, simulatorBinary } from "./simulator";

const patienceMs = 40_000;

export interface CorralOptions {
  /** Further variables; an empty value unsets one. Simulator variables reach the engine, which inherits them. */
  readonly environment?: Record<string, string>;
  readonly flags?: readonly string[];
  /** What to run instead of the single binary (program.ts), without its command. */
  readonly program?: readonly string[];
  /** Where it is started; somewhere without a bunfig.toml or an .env when absent. */
  readonly cwd?: string;
  /** A PostgreSQL server's URL; when absent a fresh database of the run's own server, where there is one (suite.ts). */
  readonly databaseUrl?: string;
  /** Keeps its records in the embedded database, copied from a template. So does one with a folder, or without a server. */
  readonly embedded?: boolean;
  /** A data folder to go on with; a fresh one, removed at the end, when absent. */
  readonly folder?: string;
  /** `settled`: until the database is up and Ollama ready. `listening`: until it answers. `ended`: until it exits. */
  readonly until?: "settled" | "listening" | "ended";
}

export interface RunningCorral {
  readonly url: string;
  readonly port: number;
  /** Where its engine is, for asking the simulator itself. */
  readonly engine: string;
  readonly pid: number;
  readonly folder: string;
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** What it has said on the terminal so far. */
  said(): string;
  /** What it has logged so far: JSON lines. */
  logged(): string;
  /** Ends it by SIGTERM and waits until it is gone; removes a folder that was made for it. @returns its exit code */
  stop(): Promise<number>;
  /** Waits until it has ended by itself, or by a signal that the test sent. */
  ended(): Promise<number>;
}

export async function startCorral(options: CorralOptions = {}): Promise<RunningCorral> {
  const { until = "settled" } = options;
  const folder = options.folder ?? scratchFolder("corral-server-");
  const server = options.embedded || options.folder ? null : runServer();
  const databaseUrl = options.databaseUrl ?? (await server?.createDatabase());
  if (!options.folder && !databaseUrl)
    cpSync(await embeddedTemplate(), join(folder, "database"), { recursive: true });
  const port = Number(options.environment?.CORRAL_PORT) || (await freePort());
  const enginePort = await freePort();
  const environment: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    HOME: folder,
    CORRAL_DATA_DIR: folder,
    CORRAL_PORT: String(port),
    OLLAMA_PORT: String(enginePort),
    OLLAMA_BIN: options.environment?.OLLAMA_BIN ?? (await simulatorBinary(folder)),
    LOG_FORMAT: "json",
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    ...options.environment,
  };
  const program = options.program ?? [builtProgram()];
  const child = Bun.spawn([...program, "server", ...(options.flags ?? [])], {
    cwd: options.cwd ?? tmpdir(),
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let logged = "";
  const reading = Promise.all([
    collect(child.stdout, (text) => {
      said += text;
    }),
    collect(child.stderr, (text) => {
      logged += text;
    }),
  ]);
  const ended = async () => {
    const code = await child.exited;
    await reading;
    if (!options.folder) rmSync(folder, { recursive: true, force: true });
    return code;
  };
  const running: RunningCorral = {
    url: `http://127.0.0.1:${port}`,
    port,
    engine: `http://127.0.0.1:${enginePort}`,
    pid: child.pid,
    folder,
    process: child,
    said: () => said,
    logged: () => logged,
    stop: () => {
      child.kill("SIGTERM");
      return ended();
    },
    ended,
  };
  const wanted = until === "settled" ? "/readyz" : "/healthz";
  const deadline = Date.now() + patienceMs;
  while (until !== "ended") {
    const fine = await fetch(running.url + wanted).then(
      (response) => response.ok,
      () => false,
    );
    if (fine && (until === "listening" || said.includes("  Data"))) break;
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill("SIGKILL");
      await ended();
      throw new Error(`Corral did not start: ${said}${logged}`);
    }
    await Bun.sleep(20);
  }
  return running;
}

/**
 * Runs the suite against a Corral on the embedded database and against one on a PostgreSQL server.
 * `corral` is for use inside tests; it is one for the whole suite.
 */
export function eachCorral(
  name: string,
  suite: (corral: () => RunningCorral) => void,
  options: Omit<CorralOptions, "databaseUrl" | "embedded"> = {},
): void {
  describe(`${name} (embedded)`, () => withCorral(suite, () => startCorral({ ...options, embedded: true })));
  describeServer(`${name} (server)`, (server) =>
    withCorral(suite, async () =>
      startCorral({ ...options, databaseUrl: await (await server()).createDatabase() }),
    ),
  );
}

/** A Corral for a whole suite. */
export function describeCorral(
  name: string,
  suite: (corral: () => RunningCorral) => void,
  options: CorralOptions = {},
): void {
  describe(name, () => withCorral(suite, () => startCorral(options)));
}

/** A Corral for a whole suite, started in a way of its own. */
export function withCorral(
  suite: (corral: () => RunningCorral) => void,
  start: () => Promise<RunningCorral>,
): void {
  let running: RunningCorral | null = null;
  beforeAll(async () => {
    running = await start();
  });
  afterAll(async () => {
    await running?.stop();
  });
  suite(() => {
    if (!running) throw new Error("Corral is not running");
    return running;
  });
}

/** Asks until the answer satisfies, since records reach the database a moment after the reply. */
export async function eventually<T>(
  ask: () => Promise<T>,
  satisfied: (answer: T) => boolean,
  withinMs = 40_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (satisfied(answer)) return answer;
    if (Date.now() > deadline)
      throw new Error(`not within ${withinMs} ms; last: ${JSON.stringify(answer)?.slice(0, 1000)}`);
    await Bun.sleep(20);
  }
}

/** The JSON that a path answers. */
export async function getJson(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

async function collect(stream: ReadableStream<Uint8Array>, put: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) put(decoder.decode(chunk, { stream: true }));
}
