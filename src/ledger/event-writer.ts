/**
 * Events on their way to the database: few, small, and never in the way. They wait in memory while it is away; one that
 * can't be kept is said in the log with all that an audit needs, since that is the last place where it is.
 */
import type { Database } from "../database/database";
import { messageOf } from "../errors";
import type { Log } from "../log";
import type { ModelEvent } from "./event";
import { storable, storableModel } from "./texts";
import { isRowsFault } from "./writer";

const ROWS_A_BATCH = 100;
const DEADLINE_MS = 30_000;
const GATHER_MS = 50;
const LONGEST_PAUSE_MS = 5000;
/** Beyond this an error's words tell nobody more. */
const LONGEST_ERROR = 2000;

export interface EventWriterOptions {
  readonly database: Database;
  readonly server: string;
  readonly log: Log;
  /** Most that may wait while the database is away. */
  readonly mostEvents?: number;
}

export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #waiting: ModelEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #writing: Promise<void> | null = null;
  #pauseMs = GATHER_MS;
  #stopped = false;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    options.database.onChange(() => this.#wake());
  }

  /** Takes an event. Never throws, never waits. */
  push(event: ModelEvent): void {
    if (this.#stopped) this.#lose(event, "an event ended after the last were stored, and is lost");
    else if (this.#waiting.length >= (this.#options.mostEvents ?? 10_000)) {
      this.#lose(event, "an event is not kept: the database is away, and too many wait for it already");
    } else this.#waiting.push(event);
    this.#wake();
  }

  /** Writes what waits and takes no more turns. Waits for a database that is away, `withinMs` in all. */
  async stop(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    while (this.#waiting.length > 0 && performance.now() < until) {
      await Promise.race([this.#write(), Bun.sleep(until - performance.now())]);
      if (this.#waiting.length > 0) await Bun.sleep(GATHER_MS);
    }
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    for (const event of this.#waiting)
      this.#lose(event, "an event could not be stored before the stop, and is lost");
  }

  #wake(): void {
    const { database } = this.#options;
    if (this.#timer || this.#stopped || this.#waiting.length === 0 || database.state !== "up") return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#write().then(() => this.#wake());
    }, this.#pauseMs);
  }

  /** Writes until nothing waits or the database takes nothing; one at a time. Never throws. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0 && this.#options.database.state === "up") {
      const batch = this.#waiting.slice(0, ROWS_A_BATCH);
      try {
        await this.#insert(batch).catch(async (error: unknown) => {
          if (!isRowsFault(error)) throw error;
          for (const event of batch) await this.#insertAlone(event);
        });
      } catch (error) {
        this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
        const said = { error: messageOf(error), events: this.#waiting.length };
        this.#options.log.warn(said, "the database does not take events now: tried again");
        return;
      }
      this.#waiting.splice(0, batch.length);
      this.#pauseMs = GATHER_MS;
    }
  }

  async #insertAlone(event: ModelEvent): Promise<void> {
    try {
      await this.#insert([event]);
    } catch (error) {
      if (!isRowsFault(error)) throw error;
      this.#lose(event, `the database refused an event: ${messageOf(error)}`);
    }
  }

  async #insert(events: readonly ModelEvent[]): Promise<void> {
    const rows = events.map((event) => rowOf(event, this.#options.server));
    // A pull that was killed between its event and its end is resumed, and ends once more under its id.
    await this.#options.database.query(
      (sql) => sql`insert into events ${sql(rows)} on conflict do nothing`,
      DEADLINE_MS,
    );
  }

  #lose({ id, action, model, outcome, clientAddress, user, at }: ModelEvent, words: string): void {
    this.#options.log.error(
      { id, action, model, outcome, client: clientAddress, user, at: at.toISOString() },
      words,
    );
  }
}

function rowOf(event: ModelEvent, server: string) {
  return {
    id: event.id,
    at: event.at.toISOString(),
    server,
    action: event.action,
    model: storableModel(event.model),
    source: storableModel(event.source),
    insecure: event.insecure,
    path: event.path,
    client_address: event.clientAddress,
    user_agent: storable(event.userAgent),
    client_user: storable(event.user),
    outcome: event.outcome,
    error: storable(event.error?.slice(0, LONGEST_ERROR) ?? null),
    bytes: event.bytes,
    duration_ms: event.durationMs,
  };
}
