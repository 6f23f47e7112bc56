/** How this program starts itself once more, as another command: from source or from the single binary. */
import { join } from "node:path";

/** Whether this is the single binary. */
export const isCompiled = import.meta.url.includes("/$bunfs/") || import.meta.url.includes("~BUN");

/** The command line that runs `corral ...words`. */
export function selfCommand(...words: string[]): string[] {
  return isCompiled
    ? [process.execPath, ...words]
    : [process.execPath, join(import.meta.dir, "main.ts"), ...words];
}
