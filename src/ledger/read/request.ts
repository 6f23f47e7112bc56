/** Requests in full. */
import type { Database, Sql } from "../../database/database";
import { requestUuid } from "../../ids";
import { entryColumns, type LogEntry, type Row, toEntry } from "./entry";
import { placesWithAll } from "./places";
import { fetching } from "./reading";
import type { Place } from "./walk";

export const phaseNames = ["queued", "load", "prefill", "decode", "client_wait"] as const;

/** A part of a request's time, and who told it: the engine of its own work, Corral of what it saw. */
interface Phase {
  readonly phase: (typeof phaseNames)[number];
  readonly ms: number;
  readonly source: "engine" | "measured";
}

/** All that is known of a request. What was JSON is again. */
export interface WholeRequest extends LogEntry {
  system: string | null;
  messages: unknown;
  options: unknown;
  tool_calls: unknown;
  phases: Phase[];
  engine_version: string | null;
  engine_run: number | null;
  key: string | null;
}

interface WholeRow extends Row {
  system: string | null;
  messages: string | null;
  options: string | null;
  tool_calls: string | null;
  queued_ms: number | null;
  engine_version: string | null;
  engine_run: number | null;
  key: string | null;
}

const wholeColumns = (sql: Sql) => sql`
  ${entryColumns(sql)}, r.queued_ms, r.engine_version, r.engine_run, r.key, c.system, c.messages, c.options, c.tool_calls`;

/** A request by its id; null where none is on record. */
export async function readRequest(database: Database, id: string): Promise<WholeRequest | null> {
  const uuid = requestUuid(id);
  if (uuid === null) return null;
  return fetching(database, async (sql) => {
    const [place] = await sql<Place[]>`
      select id, started_at, null::float8 as value from requests where id = ${uuid}::uuid`;
    const [whole] = place === undefined ? [] : await readWhole(sql, [place]);
    return whole ?? null;
  });
}

/** The requests at some places, in their order; one that was forgotten meanwhile is left out. */
export async function readWhole(sql: Sql, places: readonly Place[]): Promise<WholeRequest[]> {
  if (places.length === 0) return [];
  const rows = await sql<WholeRow[]>`
    select ${wholeColumns(sql)} from ${placesWithAll(sql, places)} order by p.place`;
  return rows.map(toWhole);
}

function toWhole(row: WholeRow): WholeRequest {
  const { system, messages, options, tool_calls, queued_ms, engine_version, engine_run, key, ...entry } = row;
  const phases: readonly [Phase["phase"], Phase["source"], number | null][] = [
    ["queued", "measured", queued_ms],
    ["load", "engine", entry.load_ms],
    ["prefill", "engine", entry.prefill_ms],
    ["decode", "engine", entry.decode_ms],
    ["client_wait", "measured", entry.client_wait_ms],
  ];
  return {
    ...toEntry(entry),
    system,
    messages: jsonOf(messages),
    options: jsonOf(options),
    tool_calls: jsonOf(tool_calls),
    phases: phases.flatMap(([phase, source, ms]) => (ms === null ? [] : [{ phase, ms, source }])),
    engine_version,
    engine_run,
    key,
  };
}

/** It was kept as JSON; what was cut short is none, and stays a text. */
function jsonOf(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
