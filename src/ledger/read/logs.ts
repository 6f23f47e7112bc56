/** Pages of requests with their texts. */
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Database, Sql } from "../../database/database";
import { failure, quote } from "../../errors";
import { type Outcome, outcomesOf, type Status, statusOf, type Truncation, tokensPerSecond } from "../record";
import { storable } from "../texts";

export const sortFields = ["timestamp", "latency_ms", "tokens_used", "ttft_ms"] as const;
type SortField = (typeof sortFields)[number];

export interface LogQuery {
  readonly limit: number;
  readonly offset: number;
  readonly sort: SortField;
  readonly order: "asc" | "desc";
  readonly model?: string;
  readonly status?: Status;
  /** Only requests that began after this. */
  readonly since?: Date;
  /** Found in prompt or reply, whatever its case. */
  readonly q?: string;
  readonly cursor?: string;
}

/** What a page says as the row has it. */
interface Shared {
  model: string | null;
  prompt: string | null;
  response: string | null;
  thinking: string | null;
  latency_ms: number;
  outcome: Outcome;
  dialect: string;
  operation: string;
  stream: boolean;
  http_status: number | null;
  upstream_status: number | null;
  ttft_ms: number | null;
  longest_gap_ms: number | null;
  client_wait_ms: number | null;
  tokens_in: number | null;
  tokens_out: number | null;
  tokens_cached: number | null;
  load_ms: number | null;
  prefill_ms: number | null;
  decode_ms: number | null;
  cold: boolean | null;
  context_length: number | null;
  truncated: Truncation | null;
  model_digest: string | null;
  finish_reason: string | null;
  error: string | null;
  user_agent: string | null;
  traceparent: string | null;
}

export interface LogEntry extends Shared {
  id: string;
  timestamp: string;
  tokens_used: number | null;
  status: Status;
  client_ip: string | null;
  tokens_per_second: number | null;
  user: string | null;
}

interface Row extends Shared {
  id: string;
  started_at: Date;
  client_address: string | null;
  client_user: string | null;
  sort_value: number | null;
}

const DEADLINE_MS = 10_000;
const cursorSchema = Type.Object({
  sort: Type.String(),
  order: Type.String(),
  value: Type.Union([Type.Number(), Type.String({ pattern: "^[12]\\d{3}-\\d\\d-\\d\\dT[\\d:.]+Z$" })]),
  id: Type.String({ pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" }),
});

/**
 * A page of requests.
 * @returns `total`: all that the filters let through; `next`: the cursor of the following page, or null
 * @throws Failure `invalid_request` for a cursor that is none, or is one of another sorting
 */
export async function readLogs(
  database: Database,
  query: LogQuery,
): Promise<{ logs: LogEntry[]; total: number; next: string | null }> {
  const after = query.cursor === undefined ? null : readCursor(query.cursor, query);
  return database.query(async (sql) => {
    const key = sortKey(sql, query);
    const filter = filters(sql, query);
    const down = query.order === "desc";
    const direction = down ? sql`desc` : sql`asc`;
    const place = after === null ? sql`true` : placeAfter(sql, key, query.sort, after.value, after.id, down);
    const texts = sql`left join contents c on c.request_id = r.id and c.started_at = r.started_at`;
    const [counted] = await sql<{ total: number }[]>`
      select count(*)::int as total from requests r ${query.q === undefined ? sql`` : texts} where ${filter}`;
    const rows = await sql<Row[]>`
      select r.id, r.started_at, r.model, c.prompt, c.response, c.thinking, r.tokens_in, r.tokens_out, r.latency_ms,
        r.ttft_ms, r.longest_gap_ms, r.client_wait_ms, r.tokens_cached, r.load_ms, r.prefill_ms, r.decode_ms, r.cold,
        r.context_length, r.truncated, r.model_digest, r.traceparent, r.client_user, r.upstream_status, r.outcome, r.dialect, r.operation, r.stream, r.http_status, r.client_address,
        r.user_agent, r.finish_reason, r.error, ${query.sort === "timestamp" ? sql`null::float8` : key} as sort_value
      from requests r ${texts}
      where ${filter} and ${place}
      order by ${key} ${direction}, r.id ${direction}
      limit ${query.limit + 1} offset ${query.offset}`;
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      logs: page.map(toEntry),
      total: counted?.total ?? 0,
      next: rows.length > query.limit && last ? writeCursor(query, last) : null,
    };
  }, DEADLINE_MS);
}

type Fragment = ReturnType<typeof filters>;

/** What is sorted by. A value that is absent comes last either way. */
function sortKey(sql: Sql, { sort, order }: LogQuery) {
  const last = order === "desc" ? -1 : 1e300;
  if (sort === "timestamp") return sql`r.started_at`;
  if (sort === "latency_ms") return sql`r.latency_ms`;
  if (sort === "ttft_ms") return sql`coalesce(r.ttft_ms, ${last}::float8)`;
  return sql`(case when r.tokens_in is null and r.tokens_out is null then ${last}::float8
    else (coalesce(r.tokens_in, 0) + coalesce(r.tokens_out, 0))::float8 end)`;
}

function filters(sql: Sql, { model, status, since, q }: LogQuery) {
  const pattern = q === undefined ? "" : `%${storable(q).replace(/[\\%_]/g, "\\$&")}%`;
  return sql`true
    ${model === undefined ? sql`` : sql`and r.model = ${storable(model)}`}
    ${status === undefined ? sql`` : sql`and r.outcome in ${sql(outcomesOf(status))}`}
    ${since === undefined ? sql`` : sql`and r.started_at >= ${since.toISOString()}`}
    ${q === undefined ? sql`` : sql`and (c.prompt ilike ${pattern} or c.response ilike ${pattern})`}`;
}

function placeAfter(
  sql: Sql,
  key: Fragment,
  sort: SortField,
  value: string | number,
  id: string,
  down: boolean,
) {
  const bound = sort === "timestamp" ? sql`${String(value)}::timestamptz` : sql`${Number(value)}::float8`;
  return down ? sql`(${key}, r.id) < (${bound}, ${id}::uuid)` : sql`(${key}, r.id) > (${bound}, ${id}::uuid)`;
}

function readCursor(text: string, { sort, order }: LogQuery): { value: string | number; id: string } {
  let found: unknown;
  try {
    found = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    found = null;
  }
  const broken = failure.invalid(`cursor is ${quote(text)}: it takes the "next" of an earlier page`);
  if (!Value.Check(cursorSchema, found)) throw broken;
  const isTime = typeof found.value === "string" && isExactTime(found.value);
  if ((found.sort === "timestamp") !== isTime) throw broken;
  if (found.sort !== sort || found.order !== order) {
    throw failure.invalid(
      `cursor belongs to sort=${found.sort}&order=${found.order}: ask for the same sorting, or start without it`,
    );
  }
  return found;
}

/** As we write it: a 30th of February would parse, and PostgreSQL would refuse it. */
function isExactTime(text: string): boolean {
  const at = new Date(text);
  return !Number.isNaN(at.getTime()) && at.toISOString() === text;
}

function writeCursor({ sort, order }: LogQuery, row: Row): string {
  const value = sort === "timestamp" ? row.started_at.toISOString() : row.sort_value;
  return Buffer.from(JSON.stringify({ sort, order, value, id: row.id })).toString("base64url");
}

function toEntry(row: Row): LogEntry {
  const { id, started_at, model, prompt, response, latency_ms, client_address, client_user, ...rest } = row;
  const { sort_value: _, ...shared } = rest;
  const { tokens_in, tokens_out } = shared;
  return {
    // In the contract's order, for who reads it.
    id: `req_${id}`,
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
