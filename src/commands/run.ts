/** A server in this process, from its start to the signal that ends it. */
import { readFileSync } from "node:fs";
import { Failure, messageOf } from "../errors";
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
  if (!(error instanceof Failure) && error instanceof Error && error.stack) console.error(error.stack);
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
