/**
 * From the spool to the database: in batches, off the request's path, when the database is there. One batch is one
 * transaction: rows, texts, metrics of the rows that went in, events, and how far the spool has been stored, so nothing
 * is stored or counted twice. What the database refuses is set aside alone.
 */
import postgres from "postgres";
import type { Database, Sql } from "../database/database";
import { Failure, failure, messageOf } from "../errors";
import type { Log } from "../log";
import { auditOf } from "./event";
import { storeEvents, storeRecords } from "./rows";
import { isBefore, type Position } from "./segments";
import type { Item, Spool } from "./spool";
import { addShed, nothingShed, type Shed, sayEnd, sayEvent, shedRecords } from "./spool-lines";

const DEADLINE_MS = 30_000;
/** A record is worth waiting for a few more: one transaction a request would cost the disk a sync each. */
const GATHER_MS = 50;
/** While the database is there and takes nothing (a full disk, a deadlock), it is asked again after ever longer. */
const LONGEST_PAUSE_MS = 5000;

export interface WriterOptions {
  readonly database: Database;
  readonly server: string;
  readonly log: Log;
}

/** A server's row of the table spools: records since its first start, and how far its spool has been stored. */
interface SpoolRow extends Position {
  readonly stored: number;
  readonly set_aside: number;
  readonly full_records: number;
  readonly full_texts: number;
  readonly failed_records: number;
  readonly failed_texts: number;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #spool: Spool;
  readonly #partitions = new Set<string>();
  #queue: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;
  #pauseMs = GATHER_MS;
  #why: string | null = null;
  /** As the database last said it; null until it was asked. */
  #row: SpoolRow | null = null;
  /** Where the last transaction was to move it. */
  #aim: Position | null = null;
  /** Whether the last transaction may have been kept or not: the row is read again. */
  #isUnsure = true;
  /** Records of earlier starts that the spool holds no more; 0 until the database has told of them. */
  earlier = 0;
  /** How long the record that was stored last had waited, ms; null before there was one. */
  lagMs: number | null = null;

  constructor(spool: Spool, options: WriterOptions) {
    this.#spool = spool;
    this.#options = options;
    options.database.onChange(() => this.wake());
    // For what an earlier start left.
    this.wake();
  }

  get stored(): number {
    return this.#row?.stored ?? 0;
  }
  get setAside(): number {
    return this.#row?.set_aside ?? 0;
  }
  /** Why the database takes nothing though it is up, such as a full disk of its own; null while it does. */
  get why(): string | null {
    return this.#options.database.state === "up" ? this.#why : null;
  }
  /** What was shed, as far as the database has been told of it. */
  get shed(): Shed {
    const row = this.#row;
    if (row === null) return nothingShed;
    return {
      fullRecords: row.full_records,
      fullTexts: row.full_texts,
      failedRecords: row.failed_records,
      failedTexts: row.failed_texts,
    };
  }

  /** The spool holds something new. */
  wake(): void {
    if (this.#timer || this.#stopped || this.#options.database.state !== "up") return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#inTurn(() => this.#writeAll());
    }, this.#pauseMs);
  }

  /**
   * Does work when all that has ended before is stored and gone from the spool, with nothing of the writer's running beside it.
   * @throws Failure `database_away` where that could not be stored first: then the work is not done
   */
  async behind<T>(work: () => Promise<T>): Promise<T> {
    // No further than to here: under load there is always a next one.
    const until = this.#spool.roll();
    return this.#inTurn(async () => {
      while (this.#spool.waitsBefore(until)) {
        // It may be up again by the next time, and the work would do it half.
        if (!(await this.#writeSome()))
          throw failure.database(this.#options.database.why ?? "it does not take the records that wait");
      }
      await this.#settle();
      if (isBefore(this.#spool.position, until)) await this.#move(until, {}, async () => {}, DEADLINE_MS);
      return work();
    });
  }

  /** Does work with nothing of the writer's running beside it: what ends meanwhile waits in the spool. */
  pause<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(work);
  }

  /** Writes what waits, if the database takes it within a time, and takes no more turns. The rest is kept in the spool. */
  async stop(withinMs: number): Promise<void> {
    await Promise.race([this.#inTurn(() => this.#writeAll()), Bun.sleep(withinMs)]);
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Writes until the database has all or takes nothing. Never throws. */
  async #writeAll(): Promise<void> {
    while (await this.#writeSome());
  }

  /** Writes a batch. Never throws. @returns whether there may be more to write now */
  async #writeSome(): Promise<boolean> {
    if (this.#options.database.state !== "up" || this.#stopped) return false;
    try {
      await this.#settle();
      const items = this.#spool.next();
      if (items.length === 0) return false;
      try {
        await this.#write(items);
      } catch (error) {
        if (!isRowsFault(error)) throw error;
        for (const item of items) await this.#writeAlone(item);
      }
      this.#pauseMs = GATHER_MS;
      this.#why = null;
      return true;
    } catch (error) {
      this.#isUnsure = true;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
      const said = { error: messageOf(error), records: this.#spool.records };
      this.#why = `records can't be stored now, and wait: ${said.error}`;
      this.#options.log.warn(said, "records can't be stored now: tried again");
      this.wake();
      return false;
    }
  }

  async #writeAlone(item: Item): Promise<void> {
    try {
      await this.#write([item]);
    } catch (error) {
      if (!isRowsFault(error) || (item.kind !== "record" && item.kind !== "event")) throw error;
      const told = item.kind === "record" ? { id: item.record.id } : auditOf(item.event);
      const said = { ...told, error: messageOf(error) };
      this.#options.log.error(
        said,
        `the database refused ${item.kind === "record" ? "a record" : "an event"}: it is set aside`,
      );
      const line = item.kind === "record" ? sayEnd(item.record) : sayEvent(item.event);
      await this.#write([{ end: item.end, kind: "aside", line, isRecord: item.kind === "record" }]);
    }
  }

  async #write(items: readonly Item[]): Promise<void> {
    const last = items.at(-1);
    if (!last) return;
    const records = items.flatMap((item) => (item.kind === "record" ? [item.record] : []));
    const events = items.flatMap((item) => (item.kind === "event" ? [item.event] : []));
    const aside = items.flatMap((item) => (item.kind === "aside" ? [item] : []));
    for (const { line } of aside) this.#spool.setAside(line);
    const partitions = new Set(this.#partitions);
    // Whatever happens next, a partition that was not there is looked for again.
    this.#partitions.clear();
    const counts = {
      stored: records.length,
      setAside: aside.filter(({ isRecord }) => isRecord).length,
      shed: items.reduce((sum, item) => (item.kind === "shed" ? addShed(sum, item.shed) : sum), nothingShed),
    };
    await this.#move(
      last.end,
      counts,
      async (sql) => {
        await storeRecords(sql, records, this.#options.server, partitions);
        await storeEvents(sql, events, this.#options.server);
      },
      DEADLINE_MS,
    );
    for (const name of partitions) this.#partitions.add(name);
    const latest = items.findLast((item) => item.kind === "record");
    if (latest?.kind === "record") this.lagMs = Math.max(0, Date.now() - latest.at);
  }

  /** Moves the place of the spool up to which all is stored, in one transaction with work that makes it true. */
  async #move<T>(
    to: Position,
    { stored = 0, setAside = 0, shed = nothingShed }: { stored?: number; setAside?: number; shed?: Shed },
    work: (sql: Sql) => Promise<T>,
    deadlineMs: number,
  ): Promise<T> {
    const { database, server } = this.#options;
    const from = this.#row;
    if (from === null) throw failure.database("it has not said yet what it holds");
    this.#isUnsure = true;
    this.#aim = to;
    const { row, done } = await database.transaction(async (sql) => {
      const [row] = await sql<SpoolRow[]>`
        update spools set
          segment = ${to.segment}, "offset" = ${to.offset},
          stored = stored + ${stored}, set_aside = set_aside + ${setAside},
          full_records = full_records + ${shed.fullRecords}, full_texts = full_texts + ${shed.fullTexts},
          failed_records = failed_records + ${shed.failedRecords}, failed_texts = failed_texts + ${shed.failedTexts}
        where server = ${server} and segment = ${from.segment} and "offset" = ${from.offset}
        returning *`;
      if (!row) throw failure.database("the spool's place in it is not where this program left it");
      return { row, done: await work(sql) };
    }, deadlineMs);
    this.#row = row;
    this.#spool.moveTo(row);
    this.#isUnsure = false;
    return done;
  }

  /** Records in the spool, those included that are there as shed. */
  get #waiting(): number {
    return this.#spool.records + shedRecords(this.#spool.shed);
  }

  /** Learns from the database how far the spool is stored, where that is not sure. */
  async #settle(): Promise<void> {
    if (!this.#isUnsure) return;
    const { database, server } = this.#options;
    const { segment, offset } = this.#spool.position;
    const rows = await database.transaction(async (sql) => {
      await sql`insert into spools ${sql({ server, segment, offset })} on conflict do nothing`;
      return sql<SpoolRow[]>`select * from spools where server = ${server}`;
    }, DEADLINE_MS);
    const row = rows[0];
    if (!row) throw failure.database("it does not keep what it was given");
    if (this.#row && !isSame(row, this.#row) && !(this.#aim && isSame(row, this.#aim))) {
      throw failure.database(
        "another server stores its records under this one's id: is its data folder a copy of this one's? If so, remove its file server-id; then start this one again",
      );
    }
    const before = this.#waiting;
    const isFirst = this.#row === null;
    this.#row = row;
    this.#spool.moveTo(row);
    if (isFirst)
      this.earlier = row.stored + row.set_aside + shedRecords(this.shed) - (before - this.#waiting);
    this.#isUnsure = false;
  }
}

function isSame(one: Position, other: Position): boolean {
  return one.segment === other.segment && one.offset === other.offset;
}

/**
 * Whether a row's own values were refused (SQLSTATE classes: data, constraint, limit), or can't be sent at all.
 * Everything else is the database's trouble, and passes: no record is given up for a deadlock or a full disk.
 */
function isRowsFault(error: unknown): boolean {
  if (error instanceof postgres.PostgresError) return /^(22|23|54)...$/.test(error.code);
  return !(error instanceof Failure);
}
