/** Requests as people read them: a row and its texts. */
import type { Sql } from "../../database/database";
import { requestPrefix } from "../../ids";
import {
  type Operation,
  type Outcome,
  type Status,
  statusOf,
  type Truncation,
  tokensPerSecond,
} from "../record";
import { placesWithAll } from "./places";
import type { Place } from "./walk";

/** What is said of a request as the row has it. */
interface Shared {
  model: string | null;
  prompt: string | null;
  response: string | null;
  latency_ms: number;
  outcome: Outcome;
  dialect: string;
  operation: Operation;
  stream: boolean;
  http_status: number | null;
  ttft_ms: number | null;
  tokens_in: number | null;
  tokens_out: number | null;
  finish_reason: string | null;
  thinking: string | null;
  error: string | null;
  user_agent: string | null;
  upstream_status: number | null;
  longest_gap_ms: number | null;
  client_wait_ms: number | null;
  tokens_cached: number | null;
  load_ms: number | null;
  prefill_ms: number | null;
  decode_ms: number | null;
  cold: boolean | null;
  context_length: number | null;
  truncated: Truncation | null;
  model_digest: string | null;
  traceparent: string | null;
  in_flight: number | null;
  server: string;
}

/** A request as a page of logs has it. */
export interface LogEntry extends Shared {
  id: string;
  timestamp: string;
  tokens_used: number | null;
  status: Status;
  client_ip: string | null;
  tokens_per_second: number | null;
  user: string | null;
}

/** What its row holds beside what is shared. */
export interface Row extends Shared {
  id: string;
  started_at: Date;
  client_address: string | null;
  client_user: string | null;
}

/**
 * The columns of `requests r` and `contents c` that an entry is made of.
 * @param textLength characters of each text that are wanted; whole when absent
 */
export function entryColumns(sql: Sql, textLength?: number) {
  const text = (name: string) =>
    textLength === undefined
      ? sql`c.${sql(name)}`
      : sql`left(c.${sql(name)}, ${textLength}::int) as ${sql(name)}`;
  return sql`
    r.id, r.started_at, r.model, ${text("prompt")}, ${text("response")}, r.latency_ms, r.outcome, r.dialect,
    r.operation, r.stream, r.http_status, r.ttft_ms, r.tokens_in, r.tokens_out, r.finish_reason, ${text("thinking")},
    r.error, r.user_agent, r.upstream_status, r.longest_gap_ms, r.client_wait_ms, r.tokens_cached, r.load_ms,
    r.prefill_ms, r.decode_ms, r.cold, r.context_length, r.truncated, r.model_digest, r.traceparent, r.in_flight,
    r.server, r.client_address, r.client_user`;
}

/**
 * The requests at some places, in their order; one that was forgotten meanwhile is left out.
 * @param textLength characters of each text that are wanted; whole when absent
 */
export async function readEntries(
  sql: Sql,
  places: readonly Place[],
  textLength?: number,
): Promise<LogEntry[]> {
  if (places.length === 0) return [];
  const rows = await sql<Row[]>`
    select ${entryColumns(sql, textLength)} from ${placesWithAll(sql, places)} order by p.place`;
  return rows.map(toEntry);
}

export function toEntry(row: Row): LogEntry {
  const { id, started_at, model, prompt, response, latency_ms, client_address, client_user, ...shared } = row;
  const { tokens_in, tokens_out } = shared;
  return {
    // In the contract's order, for who reads it.
    id: requestPrefix + id,
    timestamp: started_at.toISOString(),
    model,
    prompt,
    response,
    tokens_used: tokens_in === null && tokens_out === null ? null : (tokens_in ?? 0) + (tokens_out ?? 0),
    latency_ms,
    status: statusOf(shared.outcome),
    client_ip: client_address,
    ...shared,
    tokens_per_second: tokensPerSecond(tokens_out, shared.decode_ms),
    user: client_user,
  };
}
