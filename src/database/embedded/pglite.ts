/**
 * PGlite on a folder, set up to be a database that can be trusted: real syncs, PostgreSQL's own crash recovery,
 * and a first start that is all or nothing.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
// As files, so that they are in the compiled binary too (traps.md): PGlite's own way of finding them fails there.
import fsBundleFile from "@electric-sql/pglite/pglite.data" with { type: "file" };
import pgliteFile from "@electric-sql/pglite/pglite.wasm" with { type: "file" };
import emptyFile from "./empty-0.5.16.tar.zst" with { type: "file" };
import { SyncedFolder, syncFolder, syncPath } from "./synced-folder";

/** PGlite's defaults without `-F`, which turns fsync off. `open_sync` aborts it, the default is not in it. */
const startParams = (isPassing: boolean) => [
  ...PGlite.defaultStartParams.filter((word) => isPassing || word !== "-F"),
  ...["-c", "wal_sync_method=fsync"],
  ...["-c", "shared_buffers=16MB"],
  // Checkpoints are ours to issue; this is how much of the log they leave for use again.
  ...["-c", "min_wal_size=32MB", "-c", "max_wal_size=128MB"],
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
 * @param module PGlite's own code, from `compilePglite`
 * @param isPassing a copy that nobody needs after this: nothing of it is synced, which a recovery does to every file
 * @throws what PGlite throws
 */
export async function openPglite(
  folder: string,
  module: WebAssembly.Module,
  isPassing = false,
): Promise<Opened> {
  const files = new SyncedFolder(folder);
  const pglite = await PGlite.create({
    fs: files,
    startParams: startParams(isPassing),
    pgliteWasmModule: module,
    fsBundle: Bun.file(fsBundleFile),
  });
  return { pglite, files };
}

/**
 * Makes a new database, of the empty one that is shipped: initdb itself takes four seconds and a gigabyte. It is unpacked
 * beside its place, synced, and then moved there, so that a start that was killed in between leaves nothing half made.
 */
export async function makePglite(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const packed = await Bun.file(emptyFile).arrayBuffer();
  await new Bun.Archive(await Bun.zstdDecompress(packed)).extract(unfinished);
  await syncFolder(unfinished);
  // An empty folder in its place is replaced; one that holds something else is an error that says so.
  renameSync(unfinished, folder);
  syncPath(dirname(folder));
}

/** A quarter of a second's work, which can go on beside the making of a database. */
export async function compilePglite(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await Bun.file(pgliteFile).arrayBuffer());
}
