/** How this program starts itself once more, as another command: from source or from the single binary. */
import { join } from "node:path";

/** The command line that runs `corral ...words`. */
export function selfCommand(...words: string[]): string[] {
  const compiled = import.meta.url.includes("/$bunfs/") || import.meta.url.includes("~BUN");
  return compiled
    ? [process.execPath, ...words]
    : [process.execPath, join(import.meta.dir, "main.ts"), ...words];
}
