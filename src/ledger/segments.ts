/**
 * The files of the spool: numbered segments of lines, appended to in order and removed from the front. A line is with the
 * system when `append` returns, which a kill of everything leaves as it is, and on the disk some 30 ms later.
 */
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../log";
import { headLine, kindOf, type Line, readLines } from "./spool-lines";

const SYNC_MS = 30;
const MOST_SEGMENT_BYTES = 8_000_000;

/** A place in the spool: all before it is over and done with. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

/** Whether a place comes before another. */
export function isBefore(one: Position, other: Position): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset);
}

/** Where a line is in its file. */
export interface Place {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

interface Segment {
  readonly number: number;
  readonly path: string;
  size: number;
}

export interface SegmentsOptions {
  /** Made where it is missing. */
  readonly folder: string;
  /** Of all of them; they are small enough that removing one makes room. */
  readonly limitBytes: number;
  readonly log: Log;
  /** Called before each sync: what it appends is synced with the rest. */
  readonly onSync: () => void;
  /** A sync failed. */
  readonly onTrouble: (error: unknown) => void;
  /** Somebody removed a segment; it is read no more. */
  readonly onLoss: (path: string) => void;
}

export class Segments {
  readonly #options: SegmentsOptions;
  readonly #mostBytes: number;
  /** Oldest first. While `#file` is open it is the last one's. */
  readonly #segments: Segment[] = [];
  #file: number | null = null;
  #lastNumber = 0;
  #bytes = 0;
  #syncTimer: ReturnType<typeof setTimeout> | null = null;
  #isSyncing = false;
  #isDirty = false;
  /** Lines that a power cut or a full disk left half written. */
  tornLines = 0;
  /** Segments of another version, which are kept as they are. */
  setAside = 0;
  /** When an earlier life wrote last, ms since the epoch; 0 where there was none. */
  lastSign = 0;

  constructor(options: SegmentsOptions) {
    this.#options = options;
    this.#mostBytes = Math.min(MOST_SEGMENT_BYTES, options.limitBytes / 8);
  }

  /** Of all segments. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Where the first one begins. */
  get start(): Position {
    return { segment: this.#segments[0]?.number ?? this.#lastNumber + 1, offset: 0 };
  }

  /** Behind the last line. */
  get end(): Position {
    const last = this.#segments.at(-1);
    return last ? { segment: last.number, offset: last.size } : this.start;
  }

  /** Whether a place is in one of them, or before. */
  holds(place: Position): boolean {
    return this.#segments.some(({ number }) => number >= place.segment);
  }

  /**
   * Looks at every line that an earlier life left.
   * @throws the system's error where the folder can't be read
   */
  open(look: (line: Line, path: string) => void): void {
    const { folder } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const names = readdirSync(folder);
    this.setAside = names.filter((name) => name.endsWith(".jsonl.set-aside")).length;
    const numbers = names
      .flatMap((name) => /^(\d+)\.jsonl(?:\.set-aside)?$/.exec(name)?.[1] ?? [])
      .map(Number);
    // From the clock, since the database may remember a place in a folder that was emptied.
    this.#lastNumber = Math.max(Date.now(), ...numbers);
    for (const number of numbers.toSorted((a, b) => a - b))
      if (names.includes(`${number}.jsonl`)) this.#openOne(number, join(folder, `${number}.jsonl`), look);
  }

  /**
   * Writes a line behind all others.
   * @throws the system's error; then nothing of it is there
   */
  append(line: Buffer): Place {
    const last = this.#segments.at(-1);
    if (last && last.size > headLine.length && last.size + line.length > this.#mostBytes) this.#closeFile();
    const { file, segment } = this.#writable();
    return this.#put(file, segment, segment.size, line);
  }

  /**
   * Writes a line over the last one, which may be no longer than it.
   * @param given what is before it was handed out, and is what it is
   * @returns null where something came behind that one, or its file is not written to any more
   * @throws the system's error; neither of the two lines is there then
   */
  replace(last: Place, line: Buffer, given: Position): Place | null {
    const segment = this.#segments.at(-1);
    if (this.#file === null || segment?.path !== last.path || segment.size !== last.end) return null;
    if (isBefore({ segment: segment.number, offset: last.start }, given)) return null;
    return this.#put(this.#file, segment, last.start, line);
  }

  #put(file: number, segment: Segment, start: number, line: Buffer): Place {
    this.#bytes -= segment.size - start;
    segment.size = start;
    try {
      writeAll(file, line, start);
    } catch (error) {
      this.#undo(file, segment);
      throw error;
    }
    segment.size += line.length;
    this.#bytes += line.length;
    this.syncSoon();
    return { path: segment.path, start, end: segment.size };
  }

  /**
   * Begins a new segment, so that those before can be removed soon.
   * @returns the place where it begins
   * @throws the system's error
   */
  roll(): Position {
    this.#closeFile();
    return { segment: this.#writable().segment.number, offset: 0 };
  }

  /** The lines from a place on. @throws the system's error */
  *linesFrom({ segment: number, offset }: Position): Generator<{ line: Line; segment: number }, void> {
    for (const segment of [...this.#segments]) {
      if (segment.number < number) continue;
      const from = segment.number === number ? offset : 0;
      try {
        for (const line of readLines(segment.path, from, segment.size))
          yield { line, segment: segment.number };
      } catch (error) {
        if (existsSync(segment.path)) throw error;
        // What is written from now on must not go into a file that nobody sees.
        if (segment === this.#segments.at(-1)) this.#closeFile();
        this.#forget(segment);
        this.#options.onLoss(segment.path);
      }
    }
  }

  /** The segments that are all before a place. The last stays, so that numbers go on from it. */
  before(place: Position): { readonly path: string; remove(): Promise<void> }[] {
    return this.#segments
      .slice(0, -1)
      .filter(({ number, size }) => isBefore({ segment: number, offset: size - 1 }, place))
      .map((segment) => ({
        path: segment.path,
        remove: async () => {
          await rm(segment.path, { force: true });
          this.#forget(segment);
        },
      }));
  }

  /** Sees that what was written is on the disk some 30 ms from now. */
  syncSoon(): void {
    this.#isDirty = true;
    this.#syncTimer ??= setTimeout(() => this.#sync(), SYNC_MS);
  }

  /** Syncs and lets go. */
  close(): void {
    if (this.#syncTimer) clearTimeout(this.#syncTimer);
    this.#options.onSync();
    try {
      if (this.#file !== null) fdatasyncSync(this.#file);
    } catch (error) {
      this.#options.onTrouble(error);
    }
    this.#closeFile();
  }

  #openOne(number: number, path: string, look: (line: Line, path: string) => void): void {
    const { log } = this.#options;
    const { size, mtimeMs } = statSync(path);
    let whole = 0;
    for (const line of readLines(path, 0, size)) {
      if (line.start === 0 && kindOf(line.bytes).kind !== "head") {
        renameSync(path, `${path}.set-aside`);
        this.setAside++;
        log.error({ path }, "a part of the spool was written by another version, and is set aside");
        return;
      }
      look(line, path);
      whole = line.end;
    }
    this.lastSign = mtimeMs;
    if (whole < size) {
      truncateSync(path, whole);
      this.tornLines++;
      log.warn({ path, bytes: size - whole }, "the last line of the spool was half written, and is dropped");
    }
    this.#segments.push({ number, path, size: whole });
    this.#bytes += whole;
  }

  /** The segment that is written to. @throws the system's error where there is none and none can be made */
  #writable(): { file: number; segment: Segment } {
    const present = this.#segments.at(-1);
    if (this.#file !== null && present) return { file: this.#file, segment: present };
    const { folder } = this.#options;
    const number = this.#lastNumber + 1;
    const path = join(folder, `${number}.jsonl`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = openSync(path, "wx", 0o600);
    try {
      writeAll(file, headLine, 0);
    } catch (error) {
      closeSync(file);
      rmSync(path, { force: true });
      throw error;
    }
    const segment = { number, path, size: headLine.length };
    this.#lastNumber = number;
    this.#file = file;
    this.#segments.push(segment);
    this.#bytes += segment.size;
    // A file is on the disk when its folder is.
    const entry = openSync(folder, "r");
    fsync(entry, () => closeSync(entry));
    return { file, segment };
  }

  /** Takes half a line away; where that fails, too, what follows goes into another file. */
  #undo(file: number, segment: Segment): void {
    try {
      ftruncateSync(file, segment.size);
    } catch {
      this.#closeFile();
    }
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = null;
    if (file !== null) fdatasync(file, () => closeSync(file));
  }

  #forget(segment: Segment): void {
    const at = this.#segments.indexOf(segment);
    if (at < 0) return;
    this.#segments.splice(at, 1);
    this.#bytes -= segment.size;
  }

  #sync(): void {
    this.#syncTimer = null;
    this.#options.onSync();
    if (this.#isSyncing || this.#file === null) return;
    this.#isSyncing = true;
    this.#isDirty = false;
    fdatasync(this.#file, (error) => {
      this.#isSyncing = false;
      if (error) this.#options.onTrouble(error);
      if (this.#isDirty) this.syncSoon();
    });
  }
}

/** Reads one line again, with its newline. @throws the system's error */
export function readPlace({ path, start, end }: Place): Buffer {
  const line = Buffer.allocUnsafe(end - start);
  const file = openSync(path, "r");
  try {
    readSync(file, line, 0, line.length, start);
  } finally {
    closeSync(file);
  }
  return line;
}

/** Writes all of it: the system may take a part at a time. @param start null: where the file is. @throws the system's error */
export function writeAll(file: number, bytes: Buffer, start: number | null): void {
  for (let at = 0; at < bytes.length; )
    at += writeSync(file, bytes, at, bytes.length - at, start === null ? null : start + at);
}
