/** Pages of events, and of the pulls among them. */
import type { Database } from "../../database/database";
import { failure, quote } from "../../errors";
import { isUuid } from "../../ids";
import type { EventAction } from "../event";
import type { Outcome } from "../record";
import { storable } from "../texts";

export interface EventQuery {
  readonly limit: number;
  /** Events to leave out first; a cursor has its own place. */
  readonly offset: number;
  readonly model?: string;
  readonly action?: EventAction;
  /** Only what began then or later. */
  readonly from?: Date | undefined;
  /** Only what began before. */
  readonly to?: Date | undefined;
  /** Only what this server put on record, by its id, a UUID. */
  readonly server?: string;
  readonly cursor?: string;
}

export interface EventRow {
  id: string;
  at: Date;
  action: EventAction;
  model: string | null;
  source: string | null;
  insecure: boolean | null;
  path: string;
  client_address: string | null;
  user_agent: string | null;
  client_user: string | null;
  outcome: Outcome;
  error: string | null;
  bytes: number | null;
  duration_ms: number;
}

const DEADLINE_MS = 10_000;
/** What an event's id has in front where people see it. */
export const eventPrefix = "evt_";

/**
 * A page of events, newest first.
 * @returns `total`: all that the filters let through; `next`: the cursor of the following page, or null
 * @throws Failure `invalid_request` for a cursor that is none
 */
export async function readEvents(
  database: Database,
  { limit, offset, model, action, from, to, server, cursor }: EventQuery,
): Promise<{ events: EventRow[]; total: number; next: string | null }> {
  const after = cursor === undefined ? null : readCursor(cursor);
  return database.query(async (sql) => {
    const filter = sql`true
      ${model === undefined ? sql`` : sql`and model = ${storable(model)}`}
      ${action === undefined ? sql`` : sql`and action = ${action}`}
      ${from === undefined ? sql`` : sql`and at >= ${from.toISOString()}`}
      ${to === undefined ? sql`` : sql`and at < ${to.toISOString()}`}
      ${server === undefined ? sql`` : sql`and server = ${server}::uuid`}`;
    const [counted] = await sql<{ total: number }[]>`
      select count(*)::int as total from events where ${filter}`;
    // An id is of the moment it stands for (UUIDv7), so its order is time's.
    const rows = await sql<EventRow[]>`
      select id, at, action, model, source, insecure, path, client_address, user_agent, client_user, outcome, error,
        bytes, duration_ms
      from events where ${filter} ${after === null ? sql`` : sql`and id < ${after}::uuid`}
      order by id desc limit ${limit + 1} offset ${after === null ? offset : 0}`;
    const events = rows.slice(0, limit);
    const last = events.at(-1);
    return {
      events,
      total: counted?.total ?? 0,
      next: rows.length > limit && last ? eventPrefix + last.id : null,
    };
  }, DEADLINE_MS);
}

/** The pulls of a server's own that have ended, newest first. */
export function readPulls(
  database: Database,
  { server, path, limit }: { readonly server: string; readonly path: string; readonly limit: number },
): Promise<EventRow[]> {
  return database.query(
    (sql) => sql<EventRow[]>`
      select * from events where action = 'pull' and path = ${path} and server = ${server}
      order by id desc limit ${limit}`,
    DEADLINE_MS,
  );
}

/** Whether a pull of that id has ended. */
export async function hasEnded(database: Database, id: string): Promise<boolean> {
  if (!isUuid(id)) return false;
  const rows = await database.query(
    (sql) => sql`select 1 from events where id = ${id}::uuid and action = 'pull'`,
    DEADLINE_MS,
  );
  return rows.length > 0;
}

function readCursor(text: string): string {
  const id = text.startsWith(eventPrefix) ? text.slice(eventPrefix.length) : "";
  if (!isUuid(id)) throw failure.invalid(`cursor is ${quote(text)}: it takes the "next" of an earlier page`);
  return id;
}
