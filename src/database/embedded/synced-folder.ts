/**
 * A folder of this machine as PGlite's disk, with real syncs.
 * PGlite 0.5.16 never syncs: its Node file system has no fsync, so PostgreSQL's calls go nowhere and a power cut
 * takes what was acknowledged. Here they reach the disk.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, readdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { NodeFS } from "@electric-sql/pglite/nodefs";

type Init = NodeFS["init"];

/** What emscripten hands to a file system's calls, as far as it is used here. */
interface Stream {
  /** The real file descriptor; folders have none. */
  readonly nfd?: number;
  readonly node: object;
}
interface NodeFileSystem {
  realPath(node: object): string;
  stream_ops: { fsync?: (stream: Stream) => number };
}

/** Emscripten's number (WASI's) for EIO: PostgreSQL stops at it rather than go on with data that may be lost. */
const EIO = 29;
const SYNCS_AT_ONCE = 64;

export class SyncedFolder extends NodeFS {
  /** How often PostgreSQL had something synced. */
  syncs = 0;

  override async init(...[pg, options]: Parameters<Init>): ReturnType<Init> {
    const { emscriptenOpts } = await super.init(pg, options);
    return {
      emscriptenOpts: {
        ...emscriptenOpts,
        preRun: [
          ...(emscriptenOpts.preRun ?? []),
          (mod) => {
            const files: NodeFileSystem = mod.NODEFS;
            files.stream_ops.fsync = (stream) => {
              try {
                this.#sync(files, stream);
                return 0;
              } catch {
                throw new mod.FS.ErrnoError(EIO);
              }
            };
          },
        ],
      },
    };
  }

  #sync(files: NodeFileSystem, stream: Stream): void {
    this.syncs++;
    if (stream.nfd !== undefined) fdatasyncSync(stream.nfd);
    // A folder: synced after a file was made or renamed in it.
    else syncPath(files.realPath(stream.node));
  }
}

/** Makes sure that a file or folder is on the disk. */
export function syncPath(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes sure that a folder is on the disk with everything in it. */
export async function syncFolder(folder: string): Promise<void> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  // A thousand files: many at once take a quarter of the time, and all at once too many handles.
  for (let done = 0; done < paths.length; done += SYNCS_AT_ONCE) {
    await Promise.all(
      paths.slice(done, done + SYNCS_AT_ONCE).map(async (path) => {
        await using file = await open(join(folder, path));
        await file.sync();
      }),
    );
  }
  syncPath(folder);
}
