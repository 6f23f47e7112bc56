/** What is kept of each kind: how much room it takes, since when, and until when by its age. */
import type { Database, Sql } from "../../database/database";
import { FOREVER_MS } from "../../duration";
import { stepMs } from "../metrics";
import type { Partition, Partitioned } from "../partitions";
import { agesOf, type Keeping } from "../retention";

const DEADLINE_MS = 10_000;

export interface Kept {
  /** Of texts exact up to 10,000, and else as PostgreSQL last estimated it: counting millions of them takes minutes. */
  readonly rows: number | null;
  /** With indexes. */
  readonly bytes: number;
  readonly since: Date | null;
  /** When the oldest of it is forgotten by age, at the earliest; null for never. */
  readonly until: Date | null;
}

/** As many texts are counted. */
const COUNTED = 10_000;

interface Row {
  readonly counted: number;
  /** Null where nothing was analyzed yet. */
  readonly estimated: number | null;
  readonly oldest_request: Date | null;
  readonly metrics_bytes: number;
  readonly oldest_day: Date | null;
  readonly events: number;
  readonly events_bytes: number;
  readonly oldest_event: Date | null;
}

/** Rows of requests and metrics are counted elsewhere. @param partitions of all that is kept, oldest first */
export async function readKept(
  database: Database,
  partitions: readonly Partition[],
  keeping: Keeping,
): Promise<Record<"texts" | "events", Kept> & Record<"requests" | "metrics", Omit<Kept, "rows">>> {
  const row = await database.query(readRow, DEADLINE_MS);
  const ages = agesOf(keeping);
  const partitioned = (table: Partitioned) => {
    const own = partitions.filter((one) => one.table === table);
    const oldest = own.find((one) => !one.isEmpty);
    return {
      bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
      since: oldest?.from ?? null,
      until: after(oldest?.to, ages[table]),
    };
  };
  const requests = partitioned("requests");
  const dayEnd = row.oldest_day && new Date(row.oldest_day.getTime() + stepMs.day);
  return {
    requests: { ...requests, since: row.oldest_request },
    texts: { ...partitioned("contents"), rows: row.counted <= COUNTED ? row.counted : row.estimated },
    metrics: { bytes: row.metrics_bytes, since: row.oldest_day, until: after(dayEnd, ages.metrics) },
    events: {
      rows: row.events,
      bytes: row.events_bytes,
      since: row.oldest_event,
      until: after(row.oldest_event, ages.events),
    },
  };
}

async function readRow(sql: Sql): Promise<Row> {
  const [row] = await sql<Row[]>`
    select
      (select count(*) from (select 1 from contents limit ${COUNTED + 1}) as first)::float8 as counted,
      (select sum(reltuples) filter (where reltuples >= 0)
        from pg_class join pg_inherits on inhrelid = oid where inhparent = 'contents'::regclass)::float8 as estimated,
      (select min(started_at) from requests) as oldest_request,
      (pg_total_relation_size('metrics') + pg_total_relation_size('histograms'))::float8 as metrics_bytes,
      (select min(time) from metrics where step = 'day') as oldest_day,
      (select count(*) from events)::float8 as events,
      pg_total_relation_size('events')::float8 as events_bytes,
      (select min(at) from events) as oldest_event`;
  if (!row) throw new Error("PostgreSQL answered a select with no row");
  return row;
}

/** @returns null for never, and for what is not there */
function after(at: Date | null | undefined, ageMs: number): Date | null {
  if (!at || ageMs >= FOREVER_MS) return null;
  const then = new Date(at.getTime() + ageMs);
  return Number.isNaN(then.getTime()) ? null : then;
}
