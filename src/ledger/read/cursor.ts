/** Where a page of logs ended, as a text that the next page is asked with. */
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { failure, quote } from "../../errors";
import { uuidPattern } from "../../ids";
import type { Sorting } from "./filter";
import type { Place } from "./walk";

export interface Cursor {
  /** The last request that was looked at. */
  readonly after: Place;
  /** How many the filter has let through so far. */
  readonly seen: number;
  /** How many of them are yet to be left out. */
  readonly skip: number;
}

/** What is sorted by is a number of PostgreSQL's bigint at the most. */
const MOST_VALUE = 9e18;

const count = (most: number) => Type.Integer({ minimum: 0, maximum: most });
const cursorSchema = Type.Object({
  sort: Type.String(),
  order: Type.String(),
  at: Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$" }),
  value: Type.Union([Type.Number({ minimum: -MOST_VALUE, maximum: MOST_VALUE }), Type.Null()]),
  id: Type.String({ pattern: uuidPattern }),
  seen: count(1e12),
  skip: count(1e6),
});

/** @throws Failure `invalid_request` for a text that is no cursor, or one of another sorting */
export function readCursor(text: string, { sort, order }: Sorting): Cursor {
  let found: unknown;
  try {
    found = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    found = null;
  }
  const broken = failure.invalid(`cursor is ${quote(text)}: it takes the "next" of an earlier page`);
  if (!Value.Check(cursorSchema, found) || !isExactTime(found.at)) throw broken;
  if (found.sort !== sort || found.order !== order) {
    throw failure.invalid(
      `cursor belongs to sort=${found.sort}&order=${found.order}: ask for the same sorting, or start without it`,
    );
  }
  const { id, at, value, seen, skip } = found;
  return { after: { id, started_at: new Date(at), value }, seen, skip };
}

export function writeCursor({ sort, order }: Sorting, { after, seen, skip }: Cursor): string {
  const { id, started_at, value } = after;
  const at = started_at.toISOString();
  return Buffer.from(JSON.stringify({ sort, order, at, value, id, seen, skip })).toString("base64url");
}

/** As we write it: a 30th of February would parse, and PostgreSQL would refuse it. */
function isExactTime(text: string): boolean {
  const at = new Date(text);
  return !Number.isNaN(at.getTime()) && at.toISOString() === text && at.getUTCFullYear() > 0;
}
