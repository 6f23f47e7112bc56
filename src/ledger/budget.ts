/**
 * How much room the records take, and CORRAL_DISK_BUDGET: the oldest texts are dropped before it is reached, a day at a
 * time, and when there are none left but today's, the oldest months of request rows.
 */
import type { Database, Sql } from "../database/database";
import { messageOf } from "../errors";
import type { Log } from "../log";
import { saySize } from "../size";
import {
  dropPartition,
  type Partition,
  type Partitioned,
  partitionAt,
  readPartitions,
  waitBriefly,
} from "./partitions";

/** What the records take on the disk, in bytes, and what is left of them. */
export interface DiskUse {
  /** The database, of all servers on it; the embedded one with its write-ahead log. */
  readonly databaseBytes: number;
  readonly spoolBytes: number;
  readonly engineLogBytes: number;
  /** All three. */
  readonly usedBytes: number;
  /** Null for none. */
  readonly budgetBytes: number | null;
  /** On the data folder's disk; null where that is not known. */
  readonly freeBytes: number | null;
  /** When that or the budget is used up, at the pace of the last days; null where it has been, or nothing tells. */
  readonly fullAt: Date | null;
  /** How much the records grow by in a day, at the pace of the last days; null where nothing tells. */
  readonly bytesADay: number | null;
  /** The oldest day and the oldest month of which anything is kept. */
  readonly textsSince: Date | null;
  readonly requestsSince: Date | null;
}

export interface DiskOptions {
  readonly database: Database;
  /** 0 for none. */
  readonly budgetBytes: number;
  /** What is beside the database. */
  readonly beside: () => Pick<DiskUse, "spoolBytes" | "engineLogBytes" | "freeBytes">;
  readonly log: Log;
}

/** Of the budget: what the database and Ollama's log may take, and the spool. The rest is for what comes within a minute. */
const DATABASE_SHARE = 0.85;
const SPOOL_SHARE = 0.1;
const EVERY_MS = 60_000;
const READ_WITHIN_MS = 10_000;
const DAY_MS = 86_400_000;
/** Days that tell how fast the records grow. */
const PACE_DAYS = 7;

/** How big the spool may be, in bytes: with a budget, no more than its part of that. */
export function spoolLimit(limitBytes: number, budgetBytes: number): number {
  return budgetBytes === 0 ? limitBytes : Math.min(limitBytes, budgetBytes * SPOOL_SHARE);
}

export class Disk {
  readonly #options: DiskOptions;
  #timer: ReturnType<typeof setInterval> | null = null;
  #isLooking = false;
  /** As it was at the last look; null before there was one. */
  use: DiskUse | null = null;
  /** Why the budget can't be kept, in words for a person; null while it is. */
  why: string | null = null;

  constructor(options: DiskOptions) {
    this.#options = options;
  }

  /** Looks now and every minute, and keeps the budget. */
  start(): void {
    this.#options.database.onChange(() => void this.keep(new Date()));
    this.#timer = setInterval(() => void this.keep(new Date()), EVERY_MS);
    void this.keep(new Date());
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Measures, and tells the partitions that it is made of, oldest first. @throws Failure `database_away` */
  async look(now: Date): Promise<{ use: DiskUse; partitions: readonly Partition[] }> {
    const found = await this.#options.database.query((sql) => this.#measure(sql), READ_WITHIN_MS);
    return { use: this.#note(found, now), partitions: found.partitions };
  }

  /** Measures, and drops what has to go, one partition after the other. One server of several does it. Never throws. */
  async keep(now: Date): Promise<void> {
    const { database, budgetBytes, log } = this.#options;
    if (this.#isLooking || database.state !== "up") return;
    this.#isLooking = true;
    try {
      if (budgetBytes === 0) await this.look(now);
      else while (await this.#dropOne(now));
    } catch (error) {
      log.warn({ error: messageOf(error) }, "the disk's use can't be measured: tried again in a minute");
    } finally {
      this.#isLooking = false;
    }
  }

  /** @returns whether there may be more to drop */
  async #dropOne(now: Date): Promise<boolean> {
    const { database, log } = this.#options;
    const dropped: Partition[] = [];
    const isOurs = await database.alone("budget", async (sql) => {
      await waitBriefly(sql);
      const found = await this.#measure(sql);
      const first = this.#choose(found, this.#note(found, now), now);
      if (first === null) return;
      await dropPartition(sql, first);
      dropped.push(first);
    });
    // Another server is at it, and tells this one nothing.
    if (!isOurs) await this.look(now);
    for (const { name, bytes } of dropped)
      log.info({ partition: name, bytes }, "dropped, to stay below CORRAL_DISK_BUDGET");
    return dropped.length > 0;
  }

  async #measure(sql: Sql): Promise<Found> {
    // A server's own log is its owner's, who alone may ask for it.
    const isEmbedded = this.#options.database.kind === "embedded";
    const [row] = await sql<{ bytes: number }[]>`
      select (pg_database_size(current_database())
        ${isEmbedded ? sql`+ (select coalesce(sum(size), 0) from pg_ls_waldir())` : sql``})::float8 as bytes`;
    if (!row) throw new Error("PostgreSQL answered a select with no row");
    return { databaseBytes: row.bytes, partitions: await readPartitions(sql) };
  }

  /** What goes first; null while there is room, or where dropping everything would not make enough. */
  #choose({ partitions }: Found, use: DiskUse, now: Date): Partition | null {
    const limit = this.#options.budgetBytes * DATABASE_SHARE;
    const over = use.databaseBytes + use.engineLogBytes - limit;
    const droppable = partitions.reduce((sum, { bytes }) => sum + bytes, 0);
    this.why =
      over > droppable
        ? `CORRAL_DISK_BUDGET (${saySize(this.#options.budgetBytes)}) can't be kept: ${saySize(use.usedBytes)} are used, and texts and request rows are only ${saySize(droppable)} of it, so none are dropped. Raise it`
        : null;
    if (over <= 0 || this.why !== null) return null;
    const isNow = ({ table, name }: Partition) => name === partitionAt(table, now).name;
    // What is being filled goes after all else, the texts of today and then the requests of this month.
    const order = (partition: Partition) =>
      (isNow(partition) ? 2 : 0) + (partition.table === "contents" ? 0 : 1);
    return partitions.toSorted((a, b) => order(a) - order(b))[0] ?? null;
  }

  #note({ partitions, databaseBytes }: Found, now: Date): DiskUse {
    const { budgetBytes, beside, database } = this.#options;
    const { spoolBytes, engineLogBytes, freeBytes } = beside();
    const usedBytes = databaseBytes + spoolBytes + engineLogBytes;
    const since = (table: Partitioned) =>
      partitions.find((one) => one.table === table && !one.isEmpty)?.from ?? null;
    // Of a server's disk nothing is known.
    const free = database.kind === "embedded" ? freeBytes : null;
    const room =
      budgetBytes === 0 ? free : Math.min(budgetBytes - usedBytes, free ?? Number.POSITIVE_INFINITY);
    const pace = bytesADay(partitions, now);
    const fullMs =
      room !== null && room > 0 && pace !== null ? now.getTime() + (room / pace) * DAY_MS : Number.NaN;
    const fullAt = new Date(fullMs);
    this.use = {
      databaseBytes,
      spoolBytes,
      engineLogBytes,
      usedBytes,
      budgetBytes: budgetBytes === 0 ? null : budgetBytes,
      freeBytes: free,
      bytesADay: pace,
      fullAt: Number.isNaN(fullAt.getTime()) ? null : fullAt,
      textsSince: since("contents"),
      requestsSince: since("requests"),
    };
    return this.use;
  }
}

interface Found {
  readonly databaseBytes: number;
  readonly partitions: readonly Partition[];
}

/** How much comes in a day, by what the last whole days have left; null where there is none. */
function bytesADay(partitions: readonly Partition[], now: Date): number | null {
  const today = partitionAt("contents", now).from.getTime();
  const pace = (table: Partitioned, longestMs: number) => {
    const past = partitions.filter(
      (one) =>
        one.table === table &&
        !one.isEmpty &&
        one.from.getTime() >= today - longestMs &&
        one.from.getTime() < today,
    );
    const first = past[0];
    if (!first) return 0;
    const days = (Math.min(today, past.at(-1)?.to.getTime() ?? today) - first.from.getTime()) / DAY_MS;
    return past.reduce((sum, { bytes }) => sum + bytes, 0) / Math.max(days, 1);
  };
  const sum = pace("contents", PACE_DAYS * DAY_MS) + pace("requests", 62 * DAY_MS);
  return sum > 0 ? sum : null;
}
