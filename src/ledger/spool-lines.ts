/**
 * The lines of the spool: JSON, one a line, and what a line is stands first in it. So a whole spool is looked through
 * without parsing it, and only what goes to the database is parsed.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import { eventSchema, type ModelEvent } from "./event";
import { type Begun, begunSchema, type RequestRecord, recordSchema } from "./record";

/** Goes up when lines of another version can't be read any more; a new field that may be null is no reason. */
const VERSION = 1;
const CHUNK_BYTES = 1_000_000;
const NEWLINE = 10;

/** The first line of each file. */
export const headLine = sayLine({ version: VERSION });

/** Records, and texts of records that were kept without, that could not be spooled. */
export type Shed = Static<typeof shedSchema>;
const shedSchema = Type.Object({
  /** The spool was full. */
  fullRecords: Type.Integer(),
  fullTexts: Type.Integer(),
  /** It could not be written. */
  failedRecords: Type.Integer(),
  failedTexts: Type.Integer(),
});
export const nothingShed: Shed = { fullRecords: 0, fullTexts: 0, failedRecords: 0, failedTexts: 0 };

/** @param sign -1 takes the second away */
export function addShed(one: Shed, other: Shed, sign: 1 | -1 = 1): Shed {
  return {
    fullRecords: one.fullRecords + sign * other.fullRecords,
    fullTexts: one.fullTexts + sign * other.fullTexts,
    failedRecords: one.failedRecords + sign * other.failedRecords,
    failedTexts: one.failedTexts + sign * other.failedTexts,
  };
}

/** Of what was shed, the records. */
export function shedRecords({ fullRecords, failedRecords }: Shed): number {
  return fullRecords + failedRecords;
}

const text = Type.String();
const beginCheck = TypeCompiler.Compile(
  Type.Object({
    begin: text,
    request: Type.Object({ ...begunSchema.properties, startedAt: text }),
    prompt: Type.Union([text, Type.Null()]),
  }),
);
const endCheck = TypeCompiler.Compile(
  Type.Object({ end: text, record: Type.Object({ ...recordSchema.properties, startedAt: text }) }),
);
const eventCheck = TypeCompiler.Compile(
  Type.Object({ event: Type.Object({ ...eventSchema.properties, at: text }) }),
);
const shedCheck = TypeCompiler.Compile(Type.Object({ shed: shedSchema, begun: Type.Array(text) }));

/** Fields that an older program may not have written. */
const absent = {
  request: nullsOf(begunSchema),
  record: nullsOf(recordSchema),
  event: nullsOf(eventSchema),
};

/** A request begins. @param prompt null where texts are not kept */
export function sayBegin(request: Begun, prompt: string | null): Buffer {
  return sayLine({ begin: request.id, request, prompt });
}

/** It has ended, now. */
export function sayEnd(record: RequestRecord): Buffer {
  return sayLine({ end: record.id, at: Date.now(), record });
}

export function sayEvent(event: ModelEvent): Buffer {
  return sayLine({ event });
}

/** @param begun ids of records that have a line of their begin, and were shed at their end */
export function sayShed(shed: Shed, begun: readonly string[]): Buffer {
  return sayLine({ shed, begun });
}

/** @returns null for what is no such line; the other readers, too */
export function readBegin(line: Buffer): { request: Begun; prompt: string | null } | null {
  const value = filled(line, "request");
  if (!beginCheck.Check(value)) return null;
  const startedAt = dateOf(value.request.startedAt);
  return startedAt && { request: { ...value.request, startedAt }, prompt: value.prompt };
}

export function readEnd(line: Buffer): RequestRecord | null {
  const value = filled(line, "record");
  if (!endCheck.Check(value)) return null;
  const startedAt = dateOf(value.record.startedAt);
  return startedAt && { ...value.record, startedAt };
}

export function readEvent(line: Buffer): ModelEvent | null {
  const value = filled(line, "event");
  if (!eventCheck.Check(value)) return null;
  const at = dateOf(value.event.at);
  return at && { ...value.event, at };
}

export function readShed(line: Buffer): { shed: Shed; begun: string[] } | null {
  const value = parsed(line);
  return shedCheck.Check(value) ? value : null;
}

/** What a line is. `head`: of this version. */
export type LineKind =
  | { readonly kind: "head" | "event" | "shed" | "unreadable" }
  | { readonly kind: "begin"; readonly id: string }
  /** `at`: when it was written, ms since the epoch. */
  | { readonly kind: "end"; readonly id: string; readonly at: number };

export function kindOf(line: Buffer): LineKind {
  const start = line.toString("latin1", 0, 120);
  const [, word, id, at] = /^\{"(begin|end)":"([^"]+)",(?:"at":(\d+),)?/.exec(start) ?? [];
  if (word === "begin" && id !== undefined) return { kind: "begin", id };
  if (word === "end" && id !== undefined && at !== undefined) return { kind: "end", id, at: Number(at) };
  if (start.startsWith('{"event":')) return { kind: "event" };
  if (start.startsWith('{"shed":')) return { kind: "shed" };
  return { kind: `${start}\n` === String(headLine) ? "head" : "unreadable" };
}

/** A line in its file: bytes from `start` to `end`, which is behind its newline. */
export interface Line {
  readonly start: number;
  readonly end: number;
  /** Without its newline; good until the next line is asked for. */
  readonly bytes: Buffer;
}

/**
 * The lines of a file, from a byte on to another. What has no newline is none.
 * @throws the system's error where it can't be read
 */
export function* readLines(path: string, from: number, to: number): Generator<Line, void> {
  if (from >= to) return;
  const file = openSync(path, "r");
  try {
    let buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, to - from));
    let start = from;
    let filled = 0;
    for (;;) {
      const wanted = Math.min(buffer.length - filled, to - start - filled);
      const read = wanted === 0 ? 0 : readSync(file, buffer, filled, wanted, start + filled);
      if (read === 0) return;
      filled += read;
      let at = 0;
      for (;;) {
        const newline = buffer.subarray(0, filled).indexOf(NEWLINE, at);
        if (newline < 0) break;
        yield { start: start + at, end: start + newline + 1, bytes: buffer.subarray(at, newline) };
        at = newline + 1;
      }
      buffer.copyWithin(0, at, filled);
      start += at;
      filled -= at;
      if (filled === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
    }
  } finally {
    closeSync(file);
  }
}

function sayLine(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString());
  } catch {
    return undefined;
  }
}

/** A line's value, with null for what its main part lacks. */
function filled(line: Buffer, part: keyof typeof absent): unknown {
  const value = parsed(line);
  if (typeof value !== "object" || value === null) return value;
  const fields: Record<string, unknown> = { ...value };
  const inner = fields[part];
  if (typeof inner === "object" && inner !== null) fields[part] = { ...absent[part], ...inner };
  return fields;
}

function nullsOf(schema: TObject): Record<string, null> {
  const names = Object.entries(schema.properties).filter(([, field]) => Value.Check(field, null));
  return Object.fromEntries(names.map(([name]) => [name, null]));
}

function dateOf(time: string): Date | null {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date;
}
