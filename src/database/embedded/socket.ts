import { rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";

/** Removes a socket and its folder, which holds nothing else. One that does, such as /tmp, is left alone. */
export function removeSocket(path: string): void {
  rmSync(path, { force: true });
  try {
    rmdirSync(dirname(path));
  } catch {
    // Gone already, by the child or by its parent; or no folder of ours.
  }
}
