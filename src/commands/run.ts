/** A server in this process, from its start to the signal that ends it. */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";
import { Failure, messageOf } from "../errors";
import { libc } from "../folder";
import { isCompiled } from "../self";
import type { RunningServer } from "./server";

/**
 * Starts a server and stops it at SIGTERM, SIGINT or SIGHUP; a second signal skips the drain. Ends the process: with 0
 * when it was stopped, with 1 and one clear line when it can't go on.
 */
export async function run(start: () => Promise<RunningServer>): Promise<void> {
  let running: RunningServer | null = null;
  let isStopping = false;
  const stop = () => {
    // Until the server runs there is nothing of ours to end.
    if (running === null) process.exit(0);
    isStopping = true;
    running.stop().then(() => process.exit(0), fail);
  };
  try {
    liftRequestLimit();
    // A terminal that is closed would else end us alone: what we started has sessions of its own.
    const signals = ["SIGTERM", "SIGINT", ...(ignoresHangup() ? [] : ["SIGHUP"])];
    for (const signal of signals) process.on(signal, stop);
    running = await start();
    await running.settled;
  } catch (error) {
    if (isStopping) return;
    isStopping = true;
    await running?.stop();
    fail(error);
  }
}

/** Says why the program can't go on, and ends it. */
export function fail(error: unknown): never {
  console.error(`corral: ${error instanceof Failure ? error.message : messageOf(error)}`);
  if (!(error instanceof Failure) && error instanceof Error) console.error(error.stack);
  process.exit(1);
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
  // The single binary finds itself; from source the program's file is a word of its own.
  const words = process.argv.slice(isCompiled ? 2 : 1);
  const args = list([process.execPath, ...process.execArgv, ...words]);
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
