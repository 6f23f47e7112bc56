/** Starts the stand-in engine as a real process, for tests of anything. */
import { chmod, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const entry = join(import.meta.dir, "simulator-entry.ts");
const patienceMs = 40_000;

export type RunningSimulator = {
  /** For instance "http://127.0.0.1:41234". */
  address: string;
  port: number;
  pid: number;
  process: Bun.Subprocess<"ignore", "ignore", "pipe">;
  /** Everything that it has written to stderr so far. */
  log(): string;
  /** Ends it by SIGTERM, and by SIGKILL if that does not help, and waits until it is gone. */
  stop(): Promise<void>;
};

/**
 * Starts a simulator on a free port and waits until it answers.
 * @param environment further variables; see src/simulator/settings.ts
 * @throws Error with its output when it ends or stays silent instead
 */
export async function startSimulator(environment: Record<string, string> = {}): Promise<RunningSimulator> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = Bun.spawn([process.execPath, entry, "serve"], {
    // Somewhere without a bunfig.toml or an .env.
    cwd: tmpdir(),
    env: { ...process.env, OLLAMA_HOST: `127.0.0.1:${port}`, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) output += decoder.decode(chunk, { stream: true });
  })();
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await child.exited;
    clearTimeout(timer);
    await reading;
  };
  const deadline = Date.now() + patienceMs;
  while (!(await answers(address))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`The simulator did not start: ${output}`);
    }
    await Bun.sleep(10);
  }
  return { address, port, pid: child.pid, process: child, log: () => output, stop };
}

/** Writes an executable that can stand for `ollama`, as OLLAMA_BIN. @returns its path */
export async function simulatorBinary(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "ollama");
  const quoted = [process.execPath, entry].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  await Bun.write(path, `#!/bin/sh\nexec ${quoted} "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

/**
 * A port that was free a moment ago. Taken at random from below those that the system hands out, since workers run
 * tests at once: what the system gave one would soon be given to the other.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    await new Promise((resolve) => server.close(resolve));
    if (free) return port;
  }
}

async function answers(address: string): Promise<boolean> {
  try {
    return (await fetch(address, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}
