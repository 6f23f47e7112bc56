/** The ledger: each request from its begin to its end, on the way to the database, and what is cleared of it. */
import type { Database } from "../database/database";
import { messageOf } from "../errors";
import type { Log } from "../log";
import type { ModelEvent } from "./event";
import { EventWriter } from "./event-writer";
import type { Begun, RequestRecord } from "./record";
import { Writer, type WriterOptions } from "./writer";

export interface Entry {
  /** Ends the request's record. Synchronous; never throws; a second end is ignored. */
  end(record: RequestRecord): void;
}

/** accepted = in flight + stored + waiting + set aside + shed records. Counted since this program's start. */
interface Standing {
  readonly accepted: number;
  readonly inFlight: number;
  readonly stored: number;
  readonly waiting: number;
  readonly setAside: number;
  readonly shed: { readonly texts: number; readonly records: number };
}

/** Rows that were deleted. */
interface Cleared {
  readonly logs: number;
  readonly metrics: number;
}

export interface Ledger {
  begin(request: Begun): Entry;
  /** Puts a change to the models or the engine on record. Synchronous; never throws. */
  event(event: ModelEvent): void;
  /** Clears what had ended when it was asked; requests in flight are kept, and so are events: they are an audit trail. */
  clear(what: "logs" | "metrics" | "all"): Promise<Cleared>;
  standing(): Standing;
  /** Calls the listener with each record soon after it ended. @returns ends that */
  onEnd(listen: (record: RequestRecord) => void): () => void;
  /** Writes what waits, for at most `withinMs`. */
  stop(withinMs: number): Promise<void>;
}

const CLEAR_WITHIN_MS = 60_000;

export function createLedger(
  options: WriterOptions & { readonly keepContents: boolean; readonly log: Log },
): Ledger {
  const writer = new Writer(options);
  const events = new EventWriter(options);
  const listeners = new Set<(record: RequestRecord) => void>();
  let accepted = 0;
  let inFlight = 0;
  let untold: RequestRecord[] = [];

  /** Behind the reply's last bytes: the log line and the figures of a request cost as much as half of the rest. */
  const tellLater = (record: RequestRecord): void => {
    if (untold.push(record) === 1) setImmediate(tell);
  };
  const tell = (): void => {
    const records = untold;
    untold = [];
    for (const record of records) {
      for (const listen of listeners) {
        try {
          listen(record);
        } catch (error) {
          options.log.error({ id: record.id, error: messageOf(error) }, "a record could not be told of");
        }
      }
    }
  };

  return {
    begin() {
      accepted++;
      inFlight++;
      let ended = false;
      return {
        end(record) {
          if (ended) return;
          ended = true;
          inFlight--;
          try {
            const kept = options.keepContents ? record : { ...record, contents: null };
            writer.push(kept.contents === null ? withoutTexts(kept) : kept);
            tellLater(record);
          } catch (error) {
            options.log.error({ id: record.id, error: messageOf(error) }, "a record could not be kept");
          }
        },
      };
    },
    event(event) {
      try {
        events.push(event);
      } catch (error) {
        options.log.error({ id: event.id, error: messageOf(error) }, "an event could not be kept");
      }
    },
    clear: (what) =>
      writer.behind(() =>
        options.database.transaction(async (sql) => {
          const cleared = { logs: 0, metrics: 0 };
          if (what !== "metrics") {
            const [row] = await sql<{ count: number }[]>`select count(*)::int as count from requests`;
            cleared.logs = row?.count ?? 0;
            await sql`truncate requests, contents`;
          }
          if (what !== "logs") {
            cleared.metrics = await countMetricRows(sql);
            await sql`truncate metrics, histograms`;
          }
          return cleared;
        }, CLEAR_WITHIN_MS),
      ),
    standing: () => ({
      accepted,
      inFlight,
      stored: writer.stored,
      waiting: writer.waiting,
      setAside: writer.setAside,
      shed: { texts: writer.shedTexts, records: writer.shedRecords },
    }),
    onEnd: (listen) => {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
    stop: async (withinMs) => {
      tell();
      await Promise.all([writer.stop(withinMs), events.stop(withinMs)]);
    },
  };
}

/** Words about what was wrong with a request quote it, and a name that is none may be a text: such are texts, too. */
function withoutTexts(record: RequestRecord): RequestRecord {
  const isRefused = record.outcome === "rejected" && record.httpStatus === 400;
  return {
    ...record,
    error: isRefused ? "Invalid request parameters" : record.error,
    model: record.modelKnown || isName(record.model) ? record.model : null,
  };
}

function isName(model: string | null): boolean {
  return model !== null && /^[\w.:/-]{1,350}$/.test(model);
}

/** Rows of metrics, of every step: the contract's metric points. */
export async function countMetricRows(sql: Parameters<Parameters<Database["query"]>[0]>[0]): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select ((select count(*) from metrics) + (select count(*) from histograms))::int as count`;
  return row?.count ?? 0;
}
