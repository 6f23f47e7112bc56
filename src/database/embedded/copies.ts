/**
 * Copies of an embedded database's folder: one that is kept before a migration, to go back to, and passing ones, for
 * reading a whole database while it goes on. The one connection is held meanwhile, so that nothing moves in the files.
 */
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { cp, lstat, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { failure, messageOf } from "../../errors";
import { freeBytes } from "../../folder";
import type { Log } from "../../log";
import { saySize } from "../../size";
import type { Sql } from "../sql";
import { syncFolder, syncPath } from "./synced-folder";

/** Beyond the copy itself: a disk that is full to its last byte stops the database. */
const SPARE_BYTES = 64e6;
/** Each is as large as the database was. Not one alone: a migration that failed half way is tried again from there. */
const KEPT = 2;

/**
 * Copies the database as it is now. What is in memory is written down first.
 * @param sql the database's one connection
 * @throws Failure `database_away` where the disk has no room
 */
export async function copyDatabase(sql: Sql, folder: string, copy: string): Promise<void> {
  await sql`checkpoint`;
  const bytes = (await sizeOf(folder)) + SPARE_BYTES;
  const free = freeBytes(dirname(folder)) ?? 0;
  if (free < bytes)
    throw failure.database(
      `a copy of the database needs ${saySize(bytes)} on the disk of ${dirname(folder)}, which has ${saySize(free)} free`,
    );
  await cp(folder, copy, { recursive: true });
}

/**
 * Keeps a copy of the database as it is before a migration, for the version that is gone back to.
 * @param migration that the database is at
 */
export async function keepCopy(sql: Sql, folder: string, migration: number, log: Log): Promise<void> {
  const copy = `${folder}-at-${String(migration).padStart(3, "0")}`;
  const unfinished = `${copy}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  try {
    await copyDatabase(sql, folder, unfinished);
    await syncFolder(unfinished);
    // Of an upgrade that was gone back on: what was recorded since is in the new one.
    rmSync(copy, { recursive: true, force: true });
    renameSync(unfinished, copy);
    syncPath(dirname(folder));
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
  for (const path of siblings(folder, /-at-\d+$/)
    .toSorted()
    .slice(0, -KEPT))
    rmSync(path, { recursive: true, force: true });
  log.info(
    { copy },
    "the database was copied before its migration: put it back to go back to the older version",
  );
}

/** A place for a passing copy. */
export function passingCopy(folder: string): string {
  return `${folder}-copy-${crypto.randomUUID()}`;
}

/** Removes what copies of an earlier life were not finished, or not removed. Never throws: they only cost room. */
export function removeLeftCopies(folder: string, log: Log): void {
  try {
    for (const path of siblings(folder, /-copy-[0-9a-f-]{36}(\.lock)?$|-at-\d+\.unfinished$/))
      rmSync(path, { recursive: true, force: true });
  } catch (error) {
    log.warn({ folder, error: messageOf(error) }, "copies of the database that were left can't be removed");
  }
}

function siblings(folder: string, tail: RegExp): string[] {
  const parent = dirname(folder);
  if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) return [];
  const name = basename(folder);
  return readdirSync(parent)
    .filter((one) => one.startsWith(name) && tail.test(one.slice(name.length)))
    .map((one) => join(parent, one));
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const path of await readdir(folder, { recursive: true }))
    bytes += (await lstat(join(folder, path))).blocks * 512;
  return bytes;
}
