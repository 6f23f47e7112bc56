import { mkdtempSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the databases of the workers may need at once. */
const ROOM_BYTES = 4e9;

/**
 * A fresh folder for a test's databases: in memory where there is room, since copying and deleting a thousand files a
 * test costs a disk most of a second each. Whoever makes it removes it.
 */
export function scratchFolder(prefix: string): string {
  return mkdtempSync(join(isRoomy("/dev/shm") ? "/dev/shm" : tmpdir(), prefix));
}

function isRoomy(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize > ROOM_BYTES;
  } catch {
    return false;
  }
}
