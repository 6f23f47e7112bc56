/** A fresh embedded database to copy, which is quicker than unpacking one. Run before the tests; kept beside node_modules. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../node_modules/@electric-sql/pglite/package.json";
import { makePglite } from "../../src/database/embedded/pglite";

/** Its folder; made where it is missing. Any number may ask at once. */
export async function embeddedTemplate(): Promise<string> {
  const cache = join(import.meta.dir, "../../node_modules/.cache/corral-tests");
  const made = join(cache, `pglite-${version}`);
  if (existsSync(made)) return made;
  mkdirSync(cache, { recursive: true });
  const ours = `${made}-${crypto.randomUUID()}`;
  await makePglite(ours);
  try {
    renameSync(ours, made);
  } catch {
    // Another was first.
    rmSync(ours, { recursive: true, force: true });
  }
  return made;
}

if (import.meta.main) await embeddedTemplate();
