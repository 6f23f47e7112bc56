/** The process: reads its settings, listens, ends on a signal, and misbehaves as a process when asked. */
import { writeSync } from "node:fs";
import { version } from "./catalogue";
import { log } from "./log";
import { simulator } from "./server";
import { readSettings, type Settings } from "./settings";

const floodBytes = 50_000_000;
const blockBytes = 64_000;
const PARENT_EVERY_MS = 1000;

/**
 * Runs what `ollama` would run: `serve`, or `version`.
 * @param args the words after the program's name
 */
export async function serve(args: string[]): Promise<void> {
  const [command = "serve"] = args;
  if (["--version", "-v", "version"].includes(command)) {
    console.log(`ollama version is ${version}`);
    return;
  }
  if (["--help", "-h", "help"].includes(command)) {
    console.log("A stand-in for Ollama: takes serve, start and --version, and listens on OLLAMA_HOST.");
    return;
  }
  if (command !== "serve" && command !== "start") {
    console.error(`Error: unknown command ${JSON.stringify(command)} for "ollama"`);
    process.exit(1);
  }
  const settings = readSettings();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
  if (settings.crashAfterMs !== undefined) {
    setTimeout(() => process.kill(process.pid, "SIGKILL"), settings.crashAfterMs);
  }
  if (settings.parent !== undefined) endWith(settings.parent);
  await misbehave(settings);
  listen(settings);
}

/** Nobody would end it after a parent that was killed. */
function endWith(parent: number): void {
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, PARENT_EVERY_MS).unref();
}

async function misbehave({ start }: Settings): Promise<void> {
  if (start.kind === "slow") await Bun.sleep(start.ms);
  if (start.kind === "flood") await flood();
  if (start.kind === "exit") {
    console.error("Error: could not create directory mkdir /nowhere: permission denied");
    process.exit(1);
  }
  // A promise alone keeps no process alive, a timer does.
  if (start.kind === "hang") await new Promise(() => setInterval(() => {}, 60_000));
}

function listen(settings: Settings): void {
  const { hostname, port } = settings;
  const write = (line: string) => {
    process.stderr.write(line);
  };
  const engine = simulator(settings, write);
  try {
    if (settings.start.kind === "deaf") {
      Bun.listen({ hostname, port, socket: { data() {} } });
    } else {
      Bun.serve({
        hostname,
        port,
        idleTimeout: 0,
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        fetch: engine.fetch,
      });
    }
  } catch (error) {
    const busy = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    const reason = busy ? "address already in use" : error instanceof Error ? error.message : String(error);
    console.error(`Error: listen tcp ${hostname}:${port}: bind: ${reason}`);
    process.exit(1);
  }
  log(write)("INFO", "routes.go:2008", `Listening on ${hostname}:${port} (version ${version})`);
}

/** Far more output than a pipe holds: whoever started this process and does not read is found out. */
async function flood(): Promise<void> {
  const line = `time=2026-08-21T10:00:00.000Z level=INFO source=flood.go:1 msg="${"x".repeat(180)}"\n`;
  const block = Buffer.from(line.repeat(Math.ceil(blockBytes / line.length)));
  for (let written = 0, turn = 0; written < floodBytes; written += block.length, turn++) {
    await writeAll(turn % 2 === 0 ? 2 : 1, block);
  }
}

/** Unlike process.stderr.write this waits for the reader, as Go's writes do, and keeps nothing in memory. */
async function writeAll(descriptor: number, block: Buffer): Promise<void> {
  for (let from = 0; from < block.length; ) {
    try {
      from += writeSync(descriptor, block, from);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      await Bun.sleep(1);
    }
  }
}
