/** The program: lifts Bun's limit on requests at once, then goes from the command line to a command. */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { parseArgs } from "node:util";
import pkg from "../package.json";
import { database } from "./commands/database";
import { startServer } from "./commands/server";
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
  try {
    const settings = readSettings(process.env, readFlags(args));
    liftRequestLimit();
    const running = await startServer({
      settings,
      environment: process.env,
      say: (line) => console.log(line),
    });
    const stop = () => {
      running.stop().then(
        () => process.exit(0),
        (error) => fail(error),
      );
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    await running.settled.catch(async (error) => {
      await running.stop();
      fail(error);
    });
  } catch (error) {
    fail(error);
  }
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
