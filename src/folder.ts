/**
 * The data folder: its layout, permissions, lock, and this server's stable id.
 * Two processes on one embedded database ruin it silently (traps.md), so the lock comes before everything else.
 * It is flock's: free again after kill -9, where a pid file is not.
 */
import { dlopen, FFIType } from "bun:ffi";
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Failure, failure, messageOf, quote } from "./errors";

const LOCK_EXCLUSIVE_NONBLOCKING = 2 | 4;

export interface Lock {
  /** Says anew who has it. */
  say(holder: string): void;
  release(): void;
}

export interface DataFolder {
  readonly root: string;
  /** The embedded database's files. */
  readonly database: string;
  /** Records on their way to the database. */
  readonly spool: string;
  /** Child processes of ours, for the next start to end if we can't. */
  readonly children: string;
  /** Pulls that are not over, for the next start to go on with. */
  readonly pulls: string;
  /** The admin key, where one was made. */
  readonly adminKey: string;
  /** Ollama's output. */
  readonly engineLog: string;
  /** UUID of this server, the same over restarts: rows in a shared database name their server by it. */
  readonly serverId: string;
  /** Says where the server answers, once that is known: to whoever comes second, and to commands. */
  answersAt(address: string): void;
  /** What its disk has left for this user; null where the system does not say. */
  freeBytes(): number | null;
  release(): void;
}

/**
 * Opens the data folder, makes it where it is missing, and takes its lock.
 * @param owner said to whoever comes second, such as "http://127.0.0.1:8000"
 * @throws Failure `folder_unusable`, or `folder_in_use` naming the server that has it
 */
export function openFolder(root: string, owner: string): DataFolder {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    closeFolder(root);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw failure.start(
      "folder_unusable",
      `the data folder ${root} can't be used (${messageOf(error)}): set CORRAL_DATA_DIR to a folder that this user can write to`,
    );
  }
  const lock = takeLock(lockOf(root), `pid ${process.pid}, ${owner}`);
  let serverId: string;
  try {
    serverId = stableId(join(root, "server-id"));
  } catch (error) {
    lock.release();
    throw failure.start(
      "folder_unusable",
      `the data folder ${root} can't be written (${messageOf(error)}): is its disk full?`,
    );
  }
  return {
    root,
    database: join(root, "database"),
    spool: join(root, "spool"),
    children: join(root, "children.json"),
    pulls: join(root, "pulls.json"),
    adminKey: adminKeyFile(root),
    engineLog: join(root, "ollama.log"),
    serverId,
    answersAt: (address) => lock.say(`pid ${process.pid}, ${address}`),
    freeBytes: () => freeBytes(root),
    release: lock.release,
  };
}

/** What the disk of a path has left for this user; null where the system does not say. */
export function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    // Not every file system tells; that it is full is known from writing to it.
    return null;
  }
}

/**
 * Closes the folder to others, where it is ours: empty, or with a server's id in it. One that belongs to another user is
 * left as it is (a mounted volume): all that is made in it is closed by itself.
 * @throws Failure `folder_unusable` for a folder in which others have theirs: closing it would lock them out
 */
function closeFolder(root: string): void {
  const { mode, uid } = statSync(root);
  if ((mode & 0o077) === 0 || uid !== process.getuid?.()) return;
  const holds = readdirSync(root);
  if (holds.length > 0 && !holds.includes("server-id") && !holds.includes("lock")) {
    throw failure.start(
      "folder_unusable",
      `the data folder ${root} holds other things (${quote(holds[0] ?? "")}) and is open to others: set CORRAL_DATA_DIR to a folder of Corral's own`,
    );
  }
  chmodSync(root, 0o700);
}

/**
 * Takes a lock on a file and writes who has it into it.
 * @throws Failure `folder_in_use` naming the holder
 */
export function takeLock(path: string, holder: string): Lock {
  let file: number;
  try {
    file = openSync(path, "a+", 0o600);
  } catch (error) {
    throw failure.start("folder_unusable", `the lock ${path} can't be opened (${messageOf(error)})`);
  }
  if (flock(file, LOCK_EXCLUSIVE_NONBLOCKING) !== 0) {
    closeSync(file);
    const first = readFileSync(path, "utf8").trim() || "another process";
    throw failure.start(
      "folder_in_use",
      `the data folder ${dirname(path)} is in use by ${first}: stop it, or give this one a folder of its own with CORRAL_DATA_DIR`,
    );
  }
  const say = (words: string) => {
    ftruncateSync(file);
    writeSync(file, `${words}\n`);
  };
  say(holder);
  return { say, release: () => closeSync(file) };
}

/** Who has a data folder, or had it last, such as "pid 12, http://127.0.0.1:8000"; empty where nobody ever did. */
export function lockHolder(root: string): string {
  try {
    return readFileSync(lockOf(root), "utf8").trim();
  } catch {
    return "";
  }
}

/** The file of the admin key that was made for a data folder. */
export function adminKeyFile(root: string): string {
  return join(root, "admin-key");
}

function lockOf(root: string): string {
  return join(root, "lock");
}

function flock(file: number, operation: number): number {
  const library = openLibrary();
  try {
    return library.symbols.flock(file, operation);
  } finally {
    library.close();
  }
}

/** @throws Failure where no code may be made at run time: Bun itself needs that, and says less of it */
function openLibrary() {
  try {
    return dlopen(libc(), { flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 } });
  } catch (error) {
    throw failure.start(
      "no_lock",
      `the data folder can't be locked (${messageOf(error)}): Corral needs glibc, and a service that allows code made at run time (no MemoryDenyWriteExecute)`,
    );
  }
}

/** The C library's file name on this system. */
function libc(): string {
  return process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6";
}

function stableId(path: string): string {
  try {
    const known = readFileSync(path, "utf8").trim();
    if (/^[0-9a-f-]{36}$/.test(known)) return known;
  } catch {
    // The first start: made below.
  }
  const id = crypto.randomUUID();
  writeFileSync(path, `${id}\n`, { mode: 0o600 });
  return id;
}
