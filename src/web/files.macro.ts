/** Run when the program is compiled, and when it is started from source: its answer becomes part of the program. */
import { join } from "node:path";
import type { PageFile } from "./files";

/**
 * The page, while the program is compiled; null at a start from source, which need not wait for it.
 * @throws Error with the bundler's words
 */
export function compiledPage(): PageFile[] | null {
  // A macro has the script that is run among its arguments, and none while one is compiled (Bun 1.4.4).
  if (process.argv.length > 1) return null;
  const { stdout, stderr, success } = Bun.spawnSync([process.execPath, join(import.meta.dir, "build.ts")]);
  if (!success) throw new Error(`the page can't be built: ${stderr.toString()}`);
  return JSON.parse(stdout.toString());
}
