/** Run when the program is compiled, or started from source: its answer becomes part of the program. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The files of `sql/`. A new one needs no second edit. */
export function readMigrations(): { file: string; text: string }[] {
  const folder = join(import.meta.dir, "../../sql");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
}
