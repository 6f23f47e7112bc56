/** Runs a command of Corral's as people do, and waits for its end. */
import { tmpdir } from "node:os";
import { join } from "node:path";

const main = join(import.meta.dir, "../../src/main.ts");

export interface CommandOptions {
  /** Its data folder, which is its home as well. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts it. */
function startCommand(words: readonly string[], { folder, environment, stdin = "" }: CommandOptions) {
  return Bun.spawn([process.execPath, main, ...words], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, HOME: folder, CORRAL_DATA_DIR: folder, ...environment },
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** A command, from its start to its end. */
export async function runCommand(words: readonly string[], options: CommandOptions): Promise<Ended> {
  const command = startCommand(words, options);
  const [stdout, stderr, code] = await Promise.all([
    new Response(command.stdout).text(),
    new Response(command.stderr).text(),
    command.exited,
  ]);
  return { code, stdout, stderr };
}
