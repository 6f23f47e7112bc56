/**
 * Records on their way to the database, in files: what is in them outlives a kill of everything, and 30 ms later a power
 * cut. A line when a request begins and one when it ends, appended to numbered segments, and read back from there in the
 * order in which they were written; a segment is removed when the database has all of it. Bounded: near the limit texts
 * are shed, then records, each counted. Nothing here throws or waits for a disk but to hand it a line.
 */
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
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
import { open, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf } from "../errors";
import type { Log } from "../log";
import { saySize } from "../size";
import type { ModelEvent } from "./event";
import type { Begun, RequestRecord } from "./record";
import {
  addShed,
  headLine,
  kindOf,
  type Line,
  nothingShed,
  readBegin,
  readEnd,
  readEvent,
  readLines,
  readShed,
  type Shed,
  sayBegin,
  sayEnd,
  sayEvent,
  sayShed,
} from "./spool-lines";

const SEGMENT_BYTES = 8_000_000;
const SYNC_MS = 30;
/** Of the limit; what is left beyond it is for records without their texts. */
const TEXTS_SHARE = 0.8;
const ROWS_A_BATCH = 200;
const BYTES_A_BATCH = 1_000_000;
const REMOVE_AGAIN_MS = 30_000;

/** A place in the spool: all before it is over and done with. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

/** What the database gets; `end` is the place behind its line. */
export type Item = { readonly end: Position } & (
  | { readonly kind: "record"; readonly record: RequestRecord; readonly at: number }
  | { readonly kind: "event"; readonly event: ModelEvent }
  | { readonly kind: "shed"; readonly shed: Shed }
  /** It goes into a file beside: it can't be read, or the database refuses it. */
  | { readonly kind: "aside"; readonly line: Buffer; readonly isRecord: boolean }
);

interface Segment {
  readonly number: number;
  readonly path: string;
  size: number;
}

type ShedReason = "full" | "failed";

/** Where the line of a begin is. */
interface Place {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

export interface SpoolOptions {
  /** Made where it is missing. */
  readonly folder: string;
  readonly limitBytes: number;
  readonly log: Log;
}

export class Spool {
  readonly #options: SpoolOptions;
  /** Lines of requests that had not ended when their segments were removed. */
  readonly #carried: string;
  readonly #asidePath: string;
  readonly #segmentBytes: number;
  /** Oldest first. While `#file` is open it is the last one's. */
  readonly #segments: Segment[] = [];
  #file: number | null = null;
  #last = 0;
  #position: Position = { segment: 0, offset: 0 };
  #bytes = 0;
  /** Requests that have begun and not ended, by id. */
  readonly #begun = new Map<string, Place>();
  #unsaidShed = nothingShed;
  #unsaidBegun: string[] = [];
  #syncTimer: ReturnType<typeof setTimeout> | null = null;
  #isSyncing = false;
  #isDirty = false;
  #isRemoving = false;
  #trouble: { readonly reason: ShedReason; readonly why: string } | null = null;
  /** Records behind the position, and what was shed behind it. */
  records = 0;
  shed: Shed = nothingShed;
  /** Lines that a power cut or a full disk left half written. */
  tornLines = 0;
  /** Files of another version, which are kept as they are. */
  setAsideSegments = 0;

  /** Reads what an earlier life left: requests that it did not end become records of a `server_crash`. */
  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#carried = join(options.folder, "begun.jsonl");
    this.#asidePath = join(options.folder, "set-aside.jsonl");
    this.#segmentBytes = Math.min(SEGMENT_BYTES, options.limitBytes / 8);
    try {
      mkdirSync(options.folder, { recursive: true, mode: 0o700 });
      this.#openAll();
    } catch (error) {
      this.#complain("failed", `the spool can't be read: ${messageOf(error)}`);
    }
  }

  /** Why not everything is kept at the moment, in words for a person; null while it is. */
  get why(): string | null {
    return this.#trouble?.why ?? null;
  }
  get position(): Position {
    return this.#position;
  }
  /** Of its segments, those included that are about to be removed. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A request begins. Where its line can't be written nothing is lost yet. */
  begin(request: Begun, prompt: string | null): void {
    const place =
      prompt === null
        ? null
        : this.#append(() => sayBegin(request, prompt), this.#options.limitBytes * TEXTS_SHARE);
    const known = isPlace(place)
      ? place
      : this.#append(() => sayBegin(request, null), this.#options.limitBytes);
    if (isPlace(known)) this.#begun.set(request.id, known);
  }

  /** It has ended: its record is in the file on return, or counted as shed. */
  end(record: RequestRecord): void {
    const { limitBytes } = this.#options;
    let put = this.#append(
      () => sayEnd(record),
      record.contents === null ? limitBytes : limitBytes * TEXTS_SHARE,
    );
    if (!isPlace(put) && record.contents !== null) {
      const reason = put;
      put = this.#append(() => sayEnd({ ...record, contents: null }), limitBytes);
      if (isPlace(put)) this.#countShed({ ...nothingShed, [`${reason}Texts`]: 1 });
    }
    const hadBegun = this.#begun.delete(record.id);
    if (isPlace(put)) {
      this.records++;
      return;
    }
    if (hadBegun) this.#unsaidBegun.push(record.id);
    this.#countShed({ ...nothingShed, [`${put}Records`]: 1 });
  }

  /** @returns whether it is in the file */
  event(event: ModelEvent): boolean {
    return isPlace(this.#append(() => sayEvent(event), this.#options.limitBytes));
  }

  /** What comes next, up to a batch of it. Read from the files each time: what waits takes no memory. */
  next(): Item[] {
    const items: Item[] = [];
    let bytes = 0;
    for (const { line, segment } of this.#linesBehind()) {
      const item = itemOf(line, segment.number);
      if (item === null) continue;
      const size = line.end - line.start;
      if (items.length > 0 && (items.length >= ROWS_A_BATCH || bytes + size > BYTES_A_BATCH)) break;
      items.push(item);
      bytes += size;
    }
    return items;
  }

  /** Whether anything for the database waits before a place. */
  waitsBefore(place: Position): boolean {
    for (const { line, segment } of this.#linesBehind()) {
      if (!isBefore({ segment: segment.number, offset: line.start }, place)) return false;
      const { kind } = kindOf(line.bytes);
      if (kind !== "head" && kind !== "begin") return true;
    }
    return false;
  }

  /** When the oldest record that waits was written, ms since the epoch; null where none does. */
  oldestAt(): number | null {
    if (this.records === 0) return null;
    for (const { line } of this.#linesBehind()) {
      const found = kindOf(line.bytes);
      if (found.kind === "end") return found.at;
    }
    return null;
  }

  /** The database has all before this place, for good. */
  moveTo(place: Position): void {
    // Another spool's, or one of a folder that was emptied since: ids tell what was stored before.
    const isOurs = this.#segments.some((segment) => segment.number >= place.segment);
    const position = isOurs ? place : { segment: this.#segments[0]?.number ?? 0, offset: 0 };
    try {
      if (isBefore(position, this.#position)) {
        this.#position = position;
        const { records, shed } = this.#tally(null);
        this.records = records;
        this.shed = addShed(shed, this.#unsaidShed);
      } else {
        const { records, shed } = this.#tally(position);
        this.#position = position;
        this.records -= records;
        this.shed = addShed(this.shed, shed, -1);
      }
    } catch (error) {
      this.#complain("failed", `the spool can't be read: ${messageOf(error)}`);
    }
    void this.#removePassed();
  }

  /** Begins a new segment, so that the present one can be removed soon. @returns the place where it begins */
  roll(): Position {
    try {
      this.#closeFile();
      return { segment: this.#writable().segment.number, offset: 0 };
    } catch (error) {
      this.#complain("failed", sayUnwritable(error));
      const last = this.#segments.at(-1);
      return last ? { segment: last.number, offset: last.size } : this.#position;
    }
  }

  /** Keeps a line in a file of its own, for people to look into; it is bounded, too. */
  setAside(line: Buffer): void {
    try {
      const file = openSync(this.#asidePath, "a", 0o600);
      try {
        if (fstatSync(file).size + line.length > this.#segmentBytes)
          throw new Error(`${this.#asidePath} is full: look into it and remove it`);
        writeAll(file, line);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, "a record that is set aside can't be kept");
    }
  }

  /** Removes everything that was set aside: it may hold texts. */
  removeSetAside(): void {
    const { folder, log } = this.#options;
    try {
      for (const name of readdirSync(folder))
        if (/set-aside/.test(name)) rmSync(join(folder, name), { force: true });
      this.setAsideSegments = 0;
    } catch (error) {
      log.error({ error: messageOf(error) }, "what was set aside can't be removed");
    }
  }

  /** Syncs it and lets it go. */
  close(): void {
    if (this.#syncTimer) clearTimeout(this.#syncTimer);
    this.#sayShed();
    try {
      if (this.#file !== null) fdatasyncSync(this.#file);
    } catch (error) {
      this.#complain("failed", sayUnwritable(error));
    }
    this.#closeFile();
  }

  #openAll(): void {
    const { folder } = this.#options;
    const names = readdirSync(folder);
    const numbers = names
      .flatMap((name) => /^(\d+)\.jsonl(?:\.set-aside)?$/.exec(name)?.[1] ?? [])
      .map(Number);
    // From the clock, since the database may remember a place in a folder that was emptied.
    this.#last = Math.max(Date.now(), ...numbers);
    this.setAsideSegments = names.filter((name) => name.endsWith(".jsonl.set-aside")).length;
    if (names.includes(basename(this.#carried)))
      for (const line of readLines(this.#carried, 0, statSync(this.#carried).size))
        this.#look(line, this.#carried);
    let lastSign = 0;
    for (const number of numbers.toSorted((a, b) => a - b)) {
      if (!names.includes(`${number}.jsonl`)) continue;
      const path = join(folder, `${number}.jsonl`);
      lastSign = statSync(path).mtimeMs;
      this.#openSegment(number, path);
    }
    this.#position = { segment: this.#segments[0]?.number ?? this.#last + 1, offset: 0 };
    for (const [id, place] of [...this.#begun]) this.#endCrashed(id, place, lastSign);
  }

  #openSegment(number: number, path: string): void {
    const { log } = this.#options;
    const { size } = statSync(path);
    let whole = 0;
    for (const line of readLines(path, 0, size)) {
      if (line.start === 0 && kindOf(line.bytes).kind !== "head") {
        renameSync(path, `${path}.set-aside`);
        this.setAsideSegments++;
        log.error({ path }, "a part of the spool was written by another version, and is set aside");
        return;
      }
      this.#look(line, path);
      whole = line.end;
    }
    if (whole < size) {
      truncateSync(path, whole);
      this.tornLines++;
      log.warn({ path, bytes: size - whole }, "the last line of the spool was half written, and is dropped");
    }
    this.#segments.push({ number, path, size: whole });
    this.#bytes += whole;
  }

  /** Counts a line of an earlier life. */
  #look(line: Line, path: string): void {
    const found = kindOf(line.bytes);
    if (found.kind === "begin") this.#begun.set(found.id, { path, start: line.start, end: line.end });
    else if (found.kind === "end") {
      this.#begun.delete(found.id);
      this.records++;
    } else if (found.kind === "shed") {
      const said = readShed(line.bytes);
      for (const id of said?.begun ?? []) this.#begun.delete(id);
      this.shed = addShed(this.shed, said?.shed ?? nothingShed);
    }
  }

  /** @param lastSign when that life wrote last, ms since the epoch */
  #endCrashed(id: string, place: Place, lastSign: number): void {
    const begun = readBegin(readPlace(place));
    if (begun === null) {
      this.#begun.delete(id);
      return;
    }
    const { request, prompt } = begun;
    this.end({
      ...request,
      outcome: "server_crash",
      error: "Corral was killed while it ran",
      httpStatus: null,
      upstreamStatus: null,
      contextLength: null,
      truncated: null,
      latencyMs: Math.max(0, Math.round(lastSign - request.startedAt.getTime())),
      ttftMs: null,
      longestGapMs: null,
      clientWaitMs: null,
      tokensIn: null,
      tokensOut: null,
      tokensCached: null,
      loadMs: null,
      prefillMs: null,
      decodeMs: null,
      finishReason: null,
      // A name that a client made up must not become a metric's.
      modelKnown: request.modelDigest !== null,
      contents: prompt === null ? null : { ...noContents, prompt },
    });
  }

  *#linesBehind(): Generator<{ line: Line; segment: Segment }, void> {
    const { segment: number, offset } = this.#position;
    for (const segment of [...this.#segments]) {
      if (segment.number < number) continue;
      const from = segment.number === number ? offset : 0;
      try {
        for (const line of readLines(segment.path, from, segment.size)) yield { line, segment };
      } catch (error) {
        if (existsSync(segment.path)) throw error;
        this.#lose(segment);
      }
    }
  }

  /** Somebody removed a file of ours: what was in it is counted as shed. */
  #lose(segment: Segment): void {
    const at = this.#segments.indexOf(segment);
    // What is written from now on must not go into a file that nobody sees.
    if (at === this.#segments.length - 1) this.#closeFile();
    this.#segments.splice(at, 1);
    this.#bytes -= segment.size;
    const before = this.records;
    this.records = this.#tally(null).records;
    this.#countShed({ ...nothingShed, failedRecords: before - this.records });
    const said = { path: segment.path, records: before - this.records };
    this.#options.log.error(said, "a part of the spool was removed before it was stored");
  }

  /** What waits between the position and another, or the end. */
  #tally(until: Position | null): { records: number; shed: Shed } {
    let records = 0;
    let shed = nothingShed;
    for (const { line, segment } of this.#linesBehind()) {
      if (until && !isBefore({ segment: segment.number, offset: line.start }, until)) break;
      const { kind } = kindOf(line.bytes);
      if (kind === "end") records++;
      else if (kind === "shed") shed = addShed(shed, readShed(line.bytes)?.shed ?? nothingShed);
    }
    return { records, shed };
  }

  #append(say: () => Buffer, limitBytes: number): Place | ShedReason {
    try {
      const line = say();
      if (this.#bytes + line.length > limitBytes) {
        const limit = saySize(this.#options.limitBytes);
        this.#complain(
          "full",
          `the spool has nearly all of its ${limit} (CORRAL_SPOOL_LIMIT): texts are not kept, and then records, until the database takes what waits`,
        );
        return "full";
      }
      const size = this.#segments.at(-1)?.size ?? 0;
      if (this.#file !== null && size > headLine.length && size + line.length > this.#segmentBytes)
        this.#closeFile();
      const { file, segment } = this.#writable();
      try {
        writeAll(file, line);
      } catch (error) {
        this.#undo(file, segment);
        throw error;
      }
      const start = segment.size;
      segment.size += line.length;
      this.#bytes += line.length;
      this.#syncSoon();
      if (this.#trouble?.reason === "failed") this.#recovered();
      return { path: segment.path, start, end: segment.size };
    } catch (error) {
      this.#complain("failed", sayUnwritable(error));
      return "failed";
    }
  }

  /** The segment that is written to. @throws the system's error where there is none and none can be made */
  #writable(): { file: number; segment: Segment } {
    const present = this.#segments.at(-1);
    if (this.#file !== null && present) return { file: this.#file, segment: present };
    const { folder } = this.#options;
    const number = this.#last + 1;
    const path = join(folder, `${number}.jsonl`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = openSync(path, "ax", 0o600);
    try {
      writeAll(file, headLine);
    } catch (error) {
      closeSync(file);
      rmSync(path, { force: true });
      throw error;
    }
    const segment = { number, path, size: headLine.length };
    this.#last = number;
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

  #syncSoon(): void {
    this.#isDirty = true;
    this.#syncTimer ??= setTimeout(() => this.#sync(), SYNC_MS);
  }

  #sync(): void {
    this.#syncTimer = null;
    this.#sayShed();
    if (this.#isSyncing || this.#file === null) return;
    this.#isSyncing = true;
    this.#isDirty = false;
    fdatasync(this.#file, (error) => {
      this.#isSyncing = false;
      if (error) this.#complain("failed", sayUnwritable(error));
      if (this.#isDirty) this.#syncSoon();
    });
  }

  #countShed(shed: Shed): void {
    this.shed = addShed(this.shed, shed);
    this.#unsaidShed = addShed(this.#unsaidShed, shed);
    this.#syncSoon();
  }

  /** What was shed goes into the file, too, whatever its limit: a few bytes every 30 ms. */
  #sayShed(): void {
    if (this.#unsaidShed === nothingShed) return;
    const put = this.#append(() => sayShed(this.#unsaidShed, this.#unsaidBegun), Number.POSITIVE_INFINITY);
    if (!isPlace(put)) return;
    this.#unsaidShed = nothingShed;
    this.#unsaidBegun = [];
  }

  async #removePassed(): Promise<void> {
    if (this.#isRemoving) return;
    this.#isRemoving = true;
    try {
      for (;;) {
        // The last stays, so that numbers go on from it.
        const passed = this.#segments.filter(
          ({ number, size }, at) =>
            at < this.#segments.length - 1 && isBefore({ segment: number, offset: size - 1 }, this.#position),
        );
        if (passed.length === 0) break;
        await this.#carry(new Set([...passed.map(({ path }) => path), this.#carried]));
        for (const segment of passed) {
          await rm(segment.path, { force: true });
          this.#segments.splice(this.#segments.indexOf(segment), 1);
          this.#bytes -= segment.size;
        }
      }
      if (this.#trouble?.reason === "full" && this.#bytes < this.#options.limitBytes * TEXTS_SHARE)
        this.#recovered();
      this.#isRemoving = false;
    } catch (error) {
      this.#options.log.warn(
        { error: messageOf(error) },
        "a part of the spool that is stored can't be removed: tried again in half a minute",
      );
      setTimeout(() => {
        this.#isRemoving = false;
      }, REMOVE_AGAIN_MS).unref();
    }
  }

  /** Copies the lines of requests that go on out of files that are to go. */
  async #carry(paths: ReadonlySet<string>): Promise<void> {
    const begun = [...this.#begun].filter(([, { path }]) => paths.has(path));
    if (begun.length === 0) return rm(this.#carried, { force: true });
    const fresh = `${this.#carried}.new`;
    const file = await open(fresh, "w", 0o600);
    const places = new Map<string, Place>();
    let start = headLine.length;
    try {
      await file.appendFile(headLine);
      for (const [id, place] of begun) {
        const line = readPlace(place);
        await file.appendFile(line);
        places.set(id, { path: this.#carried, start, end: start + line.length });
        start += line.length;
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(fresh, this.#carried);
    for (const [id, place] of places) if (this.#begun.has(id)) this.#begun.set(id, place);
  }

  #complain(reason: ShedReason, why: string): void {
    if (this.#trouble?.reason !== reason) this.#options.log.error(why);
    this.#trouble = { reason, why };
  }

  #recovered(): void {
    this.#trouble = null;
    this.#options.log.info("the spool takes everything again");
  }
}

const noContents = {
  prompt: null,
  system: null,
  messages: null,
  options: null,
  response: null,
  thinking: null,
  toolCalls: null,
};

function isPlace(put: Place | ShedReason | null): put is Place {
  return put !== null && typeof put === "object";
}

/** Whether a place comes before another. */
export function isBefore(one: Position, other: Position): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset);
}

function itemOf({ bytes, end }: Line, segment: number): Item | null {
  const found = kindOf(bytes);
  if (found.kind === "head" || found.kind === "begin") return null;
  const place = { segment, offset: end };
  if (found.kind === "end") {
    const record = readEnd(bytes);
    if (record !== null) return { end: place, kind: "record", record, at: found.at };
  } else if (found.kind === "event") {
    const event = readEvent(bytes);
    if (event !== null) return { end: place, kind: "event", event };
  } else if (found.kind === "shed") {
    const said = readShed(bytes);
    if (said !== null) return { end: place, kind: "shed", shed: said.shed };
  }
  return { end: place, kind: "aside", line: Buffer.from(`${bytes}\n`), isRecord: found.kind === "end" };
}

function readPlace({ path, start, end }: Place): Buffer {
  const line = Buffer.allocUnsafe(end - start);
  const file = openSync(path, "r");
  try {
    readSync(file, line, 0, line.length, start);
  } finally {
    closeSync(file);
  }
  return line;
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

function sayUnwritable(error: unknown): string {
  return `the spool can't be written (${messageOf(error)}): records are not kept until it can`;
}
