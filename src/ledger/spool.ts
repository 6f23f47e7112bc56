/**
 * Records on their way to the database, in files: what is in them outlives a kill of everything, and 30 ms later a power
 * cut. A line when a request begins and one when it ends, read back in the order in which they were written; a file is
 * removed when the database has all of it. Bounded: near the limit texts are shed, then records, each counted. Nothing
 * here throws, and nothing waits for more than handing a line to the system.
 */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../errors";
import type { Log } from "../log";
import { saySize } from "../size";
import type { ModelEvent } from "./event";
import type { Begun, RequestRecord } from "./record";
import { isBefore, type Place, type Position, readPlace, Segments, writeAll } from "./segments";
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

/** Of the limit; what is left beyond it is for records without their texts. */
const TEXTS_SHARE = 0.8;
const ROWS_A_BATCH = 200;
const BYTES_A_BATCH = 1_000_000;
const MOST_ASIDE_BYTES = 8_000_000;
const REMOVE_AGAIN_MS = 30_000;

/** What the database gets; `end` is the place behind its line. */
export type Item = { readonly end: Position } & (
  | { readonly kind: "record"; readonly record: RequestRecord; readonly at: number }
  | { readonly kind: "event"; readonly event: ModelEvent }
  | { readonly kind: "shed"; readonly shed: Shed }
  /** It goes into a file beside: it can't be read, or the database refuses it. */
  | { readonly kind: "aside"; readonly line: Buffer; readonly isRecord: boolean }
);

type ShedReason = "full" | "failed";

export interface SpoolOptions {
  /** Made where it is missing. */
  readonly folder: string;
  readonly limitBytes: number;
  readonly log: Log;
}

export class Spool {
  readonly #options: SpoolOptions;
  readonly #segments: Segments;
  /** Lines of requests that had not ended when their segments were removed. */
  readonly #carried: string;
  #position: Position = { segment: 0, offset: 0 };
  /** Where the lines are of requests that have begun and not ended, by id. */
  readonly #begun = new Map<string, Place>();
  /** What was shed and is in no line yet, and which of it has a line of its begin. */
  #unsaidShed = nothingShed;
  #unsaidBegun: string[] = [];
  /** The last line of what was shed. */
  #saidShed: { readonly place: Place; readonly shed: Shed; readonly begun: readonly string[] } | null = null;
  /** How far the database was given what waits, at the most. */
  #given: Position = { segment: 0, offset: 0 };
  #isRemoving = false;
  #trouble: { readonly reason: ShedReason; readonly why: string } | null = null;
  /** Records behind the position. */
  records = 0;
  /** What was shed behind the position. */
  shed: Shed = nothingShed;

  /** Reads what an earlier life left: requests that it did not end become records of a `server_crash`. */
  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#carried = join(options.folder, "begun.jsonl");
    this.#segments = new Segments({
      ...options,
      onSync: () => this.#sayShed(),
      onTrouble: (error) => this.#complain("failed", sayUnwritable(error)),
      onLoss: (path) => this.#lose(path),
    });
    try {
      if (existsSync(this.#carried))
        for (const line of readLines(this.#carried, 0, statSync(this.#carried).size))
          this.#look(line, this.#carried);
      this.#segments.open((line, path) => this.#look(line, path));
      this.#position = this.#segments.start;
      for (const [id, place] of [...this.#begun]) this.#endCrashed(id, place);
    } catch (error) {
      this.#complain("failed", `the spool can't be read: ${messageOf(error)}`);
    }
  }

  /** Why not everything is kept at the moment, in words for a person; null while it is. */
  get why(): string | null {
    return this.#trouble?.why ?? null;
  }
  /** All before it is in the database. */
  get position(): Position {
    return this.#position;
  }
  /** Of its segments, those included that are about to be removed. */
  get bytes(): number {
    return this.#segments.bytes;
  }
  /** Lines that an earlier life left half written. */
  get tornLines(): number {
    return this.#segments.tornLines;
  }
  /** Segments of another version, which are kept as they are. */
  get setAsideSegments(): number {
    return this.#segments.setAside;
  }

  /** A request begins. Where its line can't be written nothing is lost yet. @param prompt null where texts are not kept */
  begin(request: Begun, prompt: string | null): void {
    const { limitBytes } = this.#options;
    let put =
      prompt === null ? null : this.#append(() => sayBegin(request, prompt), limitBytes * TEXTS_SHARE);
    if (!isPlace(put)) put = this.#append(() => sayBegin(request, null), limitBytes);
    if (isPlace(put)) this.#begun.set(request.id, put);
  }

  /** It has ended: its record is in the file on return, or counted as shed. */
  end(record: RequestRecord): void {
    const { limitBytes } = this.#options;
    const hasTexts = record.contents !== null;
    let put = this.#append(() => sayEnd(record), hasTexts ? limitBytes * TEXTS_SHARE : limitBytes);
    if (!isPlace(put) && hasTexts) {
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

  /**
   * What comes next, up to a batch of it. Read from the files each time: what waits takes no memory.
   * @throws the system's error where they can't be read
   */
  next(): Item[] {
    const items: Item[] = [];
    let bytes = 0;
    for (const { line, segment } of this.#segments.linesFrom(this.#position)) {
      const item = itemOf(line, segment);
      if (item === null) continue;
      const size = line.end - line.start;
      if (items.length > 0 && (items.length >= ROWS_A_BATCH || bytes + size > BYTES_A_BATCH)) break;
      items.push(item);
      bytes += size;
    }
    const end = items.at(-1)?.end;
    if (end && isBefore(this.#given, end)) this.#given = end;
    return items;
  }

  /** Whether anything for the database waits before a place. @throws the system's error */
  waitsBefore(place: Position): boolean {
    for (const { line, segment } of this.#segments.linesFrom(this.#position)) {
      if (!isBefore({ segment, offset: line.start }, place)) return false;
      const { kind } = kindOf(line.bytes);
      if (kind !== "head" && kind !== "begin") return true;
    }
    return false;
  }

  /** When the oldest record that waits was written, ms since the epoch; null where none does. */
  oldestAt(): number | null {
    if (this.records === 0) return null;
    try {
      for (const { line } of this.#segments.linesFrom(this.#position)) {
        const found = kindOf(line.bytes);
        if (found.kind === "end") return found.at;
      }
    } catch (error) {
      this.#complain("failed", `the spool can't be read: ${messageOf(error)}`);
    }
    return null;
  }

  /** The database has all before this place, for good. */
  moveTo(place: Position): void {
    // Else it is another spool's, or of a folder that was emptied since: ids tell what was stored before.
    const position = this.#segments.holds(place) ? place : this.#segments.start;
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

  /** Begins a new file where that can be, so that those before can be removed soon. @returns the place behind all lines */
  roll(): Position {
    try {
      return this.#segments.roll();
    } catch (error) {
      this.#complain("failed", sayUnwritable(error));
      return this.#segments.end;
    }
  }

  /** Keeps a line in a file of its own, for people to look into; it is bounded, too. */
  setAside(line: Buffer): void {
    const path = join(this.#options.folder, "set-aside.jsonl");
    try {
      const file = openSync(path, "a", 0o600);
      try {
        if (fstatSync(file).size + line.length > MOST_ASIDE_BYTES)
          throw new Error(`${path} is full: look into it and remove it`);
        writeAll(file, line, null);
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
      this.#segments.setAside = 0;
    } catch (error) {
      log.error({ error: messageOf(error) }, "what was set aside can't be removed");
    }
  }

  /** Syncs it and lets it go. */
  close(): void {
    this.#segments.close();
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

  #endCrashed(id: string, place: Place): void {
    const begun = readBegin(readPlace(place));
    if (begun === null) {
      this.#begun.delete(id);
      return;
    }
    const { request, prompt } = begun;
    const figures = { tokensIn: null, tokensOut: null, tokensCached: null, loadMs: null, prefillMs: null };
    const times = { decodeMs: null, ttftMs: null, longestGapMs: null, clientWaitMs: null };
    const answers = { httpStatus: null, upstreamStatus: null, contextLength: null, truncated: null };
    const texts = { system: null, messages: null, options: null, response: null, thinking: null };
    this.end({
      ...request,
      ...figures,
      ...times,
      ...answers,
      outcome: "server_crash",
      finishReason: null,
      error: "Corral was killed while it ran",
      // To the last sign of life.
      latencyMs: Math.max(0, Math.round(this.#segments.lastSign - request.startedAt.getTime())),
      // A name that a client made up must not become a metric's.
      modelKnown: request.modelDigest !== null,
      contents: prompt === null ? null : { ...texts, toolCalls: null, prompt },
    });
  }

  /** What waits between the position and another, or the end. */
  #tally(until: Position | null): { records: number; shed: Shed } {
    let records = 0;
    let shed = nothingShed;
    for (const { line, segment } of this.#segments.linesFrom(this.#position)) {
      if (until && !isBefore({ segment, offset: line.start }, until)) break;
      const { kind } = kindOf(line.bytes);
      if (kind === "end") records++;
      else if (kind === "shed") shed = addShed(shed, readShed(line.bytes)?.shed ?? nothingShed);
    }
    return { records, shed };
  }

  #append(say: () => Buffer, limitBytes: number): Place | ShedReason {
    try {
      const line = say();
      if (this.bytes + line.length > limitBytes) {
        const limit = saySize(this.#options.limitBytes);
        this.#complain(
          "full",
          `the spool has nearly all of its ${limit} (CORRAL_SPOOL_LIMIT): texts are not kept, and then records, until the database takes what waits`,
        );
        return "full";
      }
      const place = this.#segments.append(line);
      if (this.#trouble?.reason === "failed") this.#recover();
      return place;
    } catch (error) {
      this.#complain("failed", sayUnwritable(error));
      return "failed";
    }
  }

  #countShed(shed: Shed): void {
    this.shed = addShed(this.shed, shed);
    this.#unsaidShed = addShed(this.#unsaidShed, shed);
    this.#segments.syncSoon();
  }

  /** What was shed goes into the file, too, whatever its limit. */
  #sayShed(): void {
    if (this.#unsaidShed === nothingShed || this.#saysMore()) return;
    const [shed, begun] = [this.#unsaidShed, this.#unsaidBegun];
    const put = this.#append(() => sayShed(shed, begun), Number.POSITIVE_INFINITY);
    if (isPlace(put)) this.#noteSaid(put, shed, begun);
  }

  /** Says it in the last line, where that is one of what was shed: a full spool would grow for ever by such lines. */
  #saysMore(): boolean {
    const said = this.#saidShed;
    if (said === null) return false;
    const shed = addShed(said.shed, this.#unsaidShed);
    const begun = [...said.begun, ...this.#unsaidBegun];
    try {
      const place = this.#segments.replace(said.place, sayShed(shed, begun), this.#given);
      if (place !== null) this.#noteSaid(place, shed, begun);
      return place !== null;
    } catch (error) {
      this.#saidShed = null;
      this.#unsaidShed = shed;
      this.#unsaidBegun = begun;
      this.#complain("failed", sayUnwritable(error));
      return true;
    }
  }

  #noteSaid(place: Place, shed: Shed, begun: readonly string[]): void {
    this.#saidShed = { place, shed, begun };
    this.#unsaidShed = nothingShed;
    this.#unsaidBegun = [];
  }

  /** What was in a file that somebody removed is counted as shed. */
  #lose(path: string): void {
    for (const [id, place] of [...this.#begun]) if (place.path === path) this.#begun.delete(id);
    const before = this.records;
    this.records = this.#tally(null).records;
    const records = before - this.records;
    this.#countShed({ ...nothingShed, failedRecords: records });
    this.#options.log.error({ path, records }, "a part of the spool was removed before it was stored");
  }

  async #removePassed(): Promise<void> {
    if (this.#isRemoving) return;
    this.#isRemoving = true;
    try {
      for (;;) {
        const passed = this.#segments.before(this.#position);
        if (passed.length === 0) break;
        await this.#carry(new Set([...passed.map(({ path }) => path), this.#carried]));
        for (const segment of passed) await segment.remove();
      }
      if (this.#trouble?.reason === "full" && this.bytes < this.#options.limitBytes * TEXTS_SHARE)
        this.#recover();
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

  /** Copies the lines of requests that go on out of files that are to go. @throws the system's error */
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

  #recover(): void {
    this.#trouble = null;
    this.#options.log.info("the spool takes everything again");
  }
}

function isPlace(put: Place | ShedReason | null): put is Place {
  return put !== null && typeof put === "object";
}

/** @returns null for a line that is not for the database */
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

function sayUnwritable(error: unknown): string {
  return `the spool can't be written (${messageOf(error)}): records are not kept until it can`;
}
