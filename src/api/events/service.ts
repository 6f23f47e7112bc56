import type { Database } from "../../database/database";
import { canonicalModel } from "../../engine/models";
import type { EventAction } from "../../ledger/event";
import { type EventRow, eventPrefix, readEvents } from "../../ledger/read/events";
import { statusOf } from "../../ledger/record";
import { rangeOf } from "../common";

export interface EventsAsked {
  limit?: number;
  offset?: number;
  cursor?: string;
  model?: string;
  action?: EventAction;
  hours?: number;
  from?: string;
  to?: string;
  server?: string;
}

/** A page of events, in the API's words. @throws Failure `invalid_request` for a range that is none */
export async function events(database: Database, asked: EventsAsked) {
  const { limit = 100, offset = 0, hours, from, to, model, ...rest } = asked;
  const page = await readEvents(database, {
    limit,
    offset,
    ...rest,
    ...(model === undefined ? {} : { model: canonicalModel(model) }),
    ...rangeOf({ hours, from, to }),
  });
  return { ...page, events: page.events.map(sayEvent) };
}

function sayEvent(row: EventRow) {
  return {
    id: eventPrefix + row.id,
    timestamp: row.at.toISOString(),
    action: row.action,
    model: row.model,
    source: row.source,
    insecure: row.insecure,
    path: row.path,
    client_ip: row.client_address,
    user_agent: row.user_agent,
    user: row.client_user,
    status: statusOf(row.outcome),
    outcome: row.outcome,
    error: row.error,
    bytes: row.bytes,
    duration_ms: row.duration_ms,
  };
}
