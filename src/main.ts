/** The program: lifts Bun's limit on requests at once, then goes from the command line to a command. */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import pkg from "../package.json";
import { database } from "./commands/database";
import { type RunningServer, startServer } from "./commands/server";
import { simulator } from "./commands/simulator";
import { Failure, messageOf } from "./errors";
import { libc } from "./folder";
import { flagNames, readSettings, suggestion } from "./settings";

const commands = ["server", "simulator", "database", "version"];
const [command = "server", ...words] = process.argv.slice(2);

if (command === "database") await database(words);
else if (command === "simulator") await simulator(words);
else if (command === "version" || command === "--version") console.log(pkg.version);
else if (command === "server") await server(words);
else {
  console.error(
    `"${command}" is not a command${suggestion(command, commands)}: corral takes ${commands.join(", ")}`,
  );
  process.exitCode = 2;
}

async function server(args: string[]): Promise<void> {
  let running: RunningServer | null = null;
  let isStopping = false;
  const stop = () => {
    // Until the server runs there is nothing of ours to end.
    if (running === null) process.exit(0);
    isStopping = true;
    running.stop().then(() => process.exit(0), fail);
  };
  try {
    const settings = readSettings(process.env, readFlags(args));
    liftRequestLimit();
    reachLoopbackDirectly();
    // A terminal that is closed would else end us alone: what we started has sessions of its own.
    const signals = ["SIGTERM", "SIGINT", ...(ignoresHangup() ? [] : ["SIGHUP"])];
    for (const signal of signals) process.on(signal, stop);
    running = await startServer({
      settings,
      environment: process.env,
      say: (line) => console.log(line),
    });
    await running.settled;
  } catch (error) {
    if (isStopping) return;
    isStopping = true;
    await running?.stop();
    fail(error);
  }
}

/** Whether we were started to outlive a terminal, with nohup: a handler of ours would undo that. */
function ignoresHangup(): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    return (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false;
  }
}

/** Bun's fetch sends requests to loopback through HTTP_PROXY, too, where Ollama is not (tried on 1.4.4). */
function reachLoopbackDirectly(): void {
  const variable = process.env.no_proxy !== undefined ? "no_proxy" : "NO_PROXY";
  const present = process.env[variable];
  process.env[variable] = [...(present ? [present] : []), "127.0.0.1", "localhost", "[::1]", "::1"].join(",");
}

function fail(error: unknown): never {
  console.error(`corral: ${error instanceof Failure ? error.message : messageOf(error)}`);
  if (!(error instanceof Failure) && error instanceof Error) console.error(error.stack);
  process.exit(1);
}

function readFlags(args: string[]): Record<string, string> {
  const known = flagNames();
  const options = Object.fromEntries(known.map((name) => [name, { type: "string" as const }]));
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true, allowPositionals: true });
  const flags: Record<string, string> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional")
      throw new Failure(
        "wrong_flag",
        400,
        "Wrong flag",
        `"${token.value}" is not understood: settings are flags such as --port 8000`,
      );
    if (!known.includes(token.name)) {
      throw new Failure(
        "wrong_flag",
        400,
        "Wrong flag",
        `${token.rawName} is not a flag${suggestion(
          `--${token.name}`,
          known.map((name) => `--${name}`),
        )}`,
      );
    }
    if (token.value === undefined)
      throw new Failure("wrong_flag", 400, "Wrong flag", `${token.rawName} needs a value`);
    flags[token.name] = token.value;
  }
  return flags;
}

/**
 * Bun's fetch runs 256 requests at once and queues the rest unseen. The variable that lifts it is read when the process
 * starts, so the process replaces itself, keeping its pid (traps.md). Where that can't be done the limit stays.
 */
function liftRequestLimit(): void {
  if (process.env.BUN_CONFIG_MAX_HTTP_REQUESTS || process.platform !== "linux") return;
  const text = (value: string) => Buffer.from(`${value}\0`);
  const list = (values: string[]) => {
    const buffers = values.map(text);
    const pointers = new BigUint64Array([...buffers.map((buffer) => BigInt(ptr(buffer))), 0n]);
    return { buffers, pointers };
  };
  const environment = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: "65336" };
  const args = list(
    process.execArgv.length > 0 || isSource()
      ? [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
      : process.argv,
  );
  const variables = list(Object.entries(environment).map(([name, value]) => `${name}=${value}`));
  try {
    const { symbols } = dlopen(libc(), {
      execve: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
    });
    symbols.execve(ptr(text(process.execPath)), ptr(args.pointers), ptr(variables.pointers));
  } catch {
    // Another C library: said below.
  }
  console.error(
    "corral: more than 256 requests at once will wait for one another: start it with BUN_CONFIG_MAX_HTTP_REQUESTS=65336",
  );
}

function isSource(): boolean {
  return !import.meta.url.includes("/$bunfs/");
}
