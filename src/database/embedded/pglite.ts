/**
 * PGlite on a folder, set up to be a database that can be trusted: real syncs, PostgreSQL's own crash recovery,
 * and a first start that is all or nothing.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import initdbFile from "@electric-sql/pglite/initdb.wasm" with { type: "file" };
// As files, so that they are in the compiled binary too (traps.md): PGlite's own way of finding them fails there.
import fsBundleFile from "@electric-sql/pglite/pglite.data" with { type: "file" };
import pgliteFile from "@electric-sql/pglite/pglite.wasm" with { type: "file" };
import { SyncedFolder, syncPath } from "./synced-folder";

/** PGlite's defaults without `-F`, which turns fsync off. `open_sync` aborts it, the default is not in it. */
const startParams = [
  ...PGlite.defaultStartParams.filter((word) => word !== "-F"),
  ...["-c", "wal_sync_method=fsync"],
  ...["-c", "shared_buffers=16MB"],
  ...["-c", "TimeZone=UTC"],
];

export interface Opened {
  readonly pglite: PGlite;
  readonly files: SyncedFolder;
}

/** Whether there is a database in the folder already. */
export function isMade(folder: string): boolean {
  return existsSync(join(folder, "PG_VERSION"));
}

/**
 * Opens the database of a folder; after a crash PostgreSQL's recovery runs first.
 * @throws what PGlite throws
 */
export async function openPglite(folder: string): Promise<Opened> {
  const files = new SyncedFolder(folder);
  const pglite = await PGlite.create({
    fs: files,
    startParams,
    pgliteWasmModule: await compile(pgliteFile),
    initdbWasmModule: await compile(initdbFile),
    fsBundle: Bun.file(fsBundleFile),
  });
  return { pglite, files };
}

/**
 * Makes a new database: beside its place, synced, and then moved there. PGlite copies the files of a new database
 * one by one; a start that was killed in between would leave a folder that never opens again.
 */
export async function makePglite(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const { pglite } = await openPglite(unfinished);
  await pglite.close();
  for (const name of readdirSync(unfinished, { recursive: true, encoding: "utf8" }))
    syncPath(join(unfinished, name));
  syncPath(unfinished);
  // An empty folder in its place is replaced; one that holds something else is an error that says so.
  renameSync(unfinished, folder);
  syncPath(dirname(folder));
}

async function compile(path: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await Bun.file(path).arrayBuffer());
}
