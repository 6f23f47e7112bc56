/** The ledger: each request from its begin to its end, on the way to the database, and what is cleared of it. */
import { messageOf } from "../errors";
import { clearLogs, clearMetrics, clearSomeMetrics, type Where } from "./clear";
import { auditOf, type ModelEvent } from "./event";
import { type Begun, isName, type RequestRecord, withoutTexts } from "./record";
import { Spool, type SpoolOptions } from "./spool";
import { addShed, type Shed, shedRecords } from "./spool-lines";
import { Writer, type WriterOptions } from "./writer";

export interface Entry {
  /** Ends the request's record. Synchronous; never throws; a second end is ignored. */
  end(record: RequestRecord): void;
}

/**
 * accepted = in flight + stored + spooled + set aside + shed records, of this server since its first start. Until the
 * database has been there once, what earlier starts stored and shed is not counted.
 */
export interface Standing {
  readonly accepted: number;
  readonly inFlight: number;
  readonly stored: number;
  /** In the spool, on their way to the database. */
  readonly spooled: number;
  readonly setAside: number;
  readonly shed: Shed;
  /** Ms since the oldest of the spooled was written; null where none is. */
  readonly oldestSpooledMs: number | null;
  /** How long the record that was stored last had waited for it, ms; null before there was one. */
  readonly databaseLagMs: number | null;
  readonly spoolBytes: number;
  /** Lines that were half written when an earlier life ended. */
  readonly tornLines: number;
  /** Parts of the spool that another version wrote, which are kept as they are. */
  readonly setAsideSegments: number;
  /** Why not everything is kept or stored at the moment, in words for a person; null while it is, or the database away. */
  readonly why: string | null;
}

/** Rows that were deleted. */
interface Cleared {
  readonly logs: number;
  readonly metrics: number;
}

export interface Ledger {
  /** @param prompt what is kept of a request that never ends, since the server is killed; null where texts are not kept */
  begin(request: Begun, prompt: string | null): Entry;
  /** Puts a change to the models or the engine on record. Synchronous; never throws. */
  event(event: ModelEvent): void;
  /**
   * Deletes what had ended when it was asked, of every server on the database, and gives its space back. Requests in
   * flight are kept, and so are events: they are an audit trail. Narrowed, it also leaves what was set aside.
   * @throws Failure `database_away`; then a part may be gone, and it can be asked again
   */
  clear(what: "logs" | "metrics" | "all", where?: Where): Promise<Cleared>;
  /** Does work while nothing is written to the database; what ends meanwhile is kept, and written after it. */
  pause<T>(work: () => Promise<T>): Promise<T>;
  standing(): Standing;
  /** Calls the listener with each record soon after it ended. @returns ends that */
  onEnd(listen: (record: RequestRecord) => void): () => void;
  /** Stores what waits, for at most `withinMs`; what is left then waits for the next start. */
  stop(withinMs: number): Promise<void>;
}

/** How long a record that ended waits for others, to be told of together. */
const TELL_MS = 10;

export function createLedger(
  options: WriterOptions & SpoolOptions & { readonly keepContents: boolean },
): Ledger {
  const spool = new Spool(options);
  const writer = new Writer(spool, options);
  const listeners = new Set<(record: RequestRecord) => void>();
  /** What this start found in the spool, and has begun itself. */
  let accepted = spool.records + shedRecords(spool.shed);
  let inFlight = 0;
  let untold: RequestRecord[] = [];

  /**
   * Well behind the reply's last bytes: the log line and the figures of a request cost as much as half of the rest, and
   * at once they would be in the way of the client's next one.
   */
  const tellLater = (record: RequestRecord): void => {
    if (untold.push(record) === 1) setTimeout(tell, TELL_MS);
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

  const standing = (): Standing => {
    // First, since it may find that a file is gone.
    const oldestAt = spool.oldestAt();
    const shed = addShed(writer.shed, spool.shed);
    return {
      accepted: accepted + writer.earlier,
      inFlight,
      stored: writer.stored,
      spooled: spool.records,
      setAside: writer.setAside,
      shed,
      oldestSpooledMs: oldestAt === null ? null : Math.max(0, Date.now() - oldestAt),
      databaseLagMs: writer.lagMs,
      spoolBytes: spool.bytes,
      tornLines: spool.tornLines,
      setAsideSegments: spool.setAsideSegments,
      why: spool.why ?? writer.why,
    };
  };

  return {
    begin(request, prompt) {
      accepted++;
      inFlight++;
      const keeps = options.keepContents && prompt !== null;
      spool.begin(
        keeps || isName(request.model) ? request : { ...request, model: null },
        keeps ? prompt : null,
      );
      let ended = false;
      return {
        end(record) {
          if (ended) return;
          ended = true;
          inFlight--;
          const keepsTexts = options.keepContents && record.contents !== null;
          spool.end(keepsTexts ? record : withoutTexts(record));
          writer.wake();
          tellLater(record);
        },
      };
    },
    event(event) {
      if (spool.event(event)) writer.wake();
      // The last place where it is.
      else options.log.error(auditOf(event), "an event can't be kept");
    },
    async clear(what, where = { before: null, model: null }) {
      const { database, log } = options;
      const isWhole = where.before === null && where.model === null;
      const work = async () => ({
        logs: what === "metrics" ? 0 : await clearLogs(database, where, log),
        metrics:
          what === "logs"
            ? 0
            : await (isWhole ? clearMetrics(database) : clearSomeMetrics(database, where, log)),
      });
      if (!isWhole) {
        // It may take minutes, and the writer goes on meanwhile.
        await writer.behind(async () => {});
        return work();
      }
      const cleared = await writer.behind(work);
      if (what !== "metrics") spool.removeSetAside();
      return cleared;
    },
    pause: (work) => writer.pause(work),
    standing,
    onEnd: (listen) => {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
    async stop(withinMs) {
      tell();
      await writer.stop(withinMs);
      spool.close();
      if (spool.records > 0)
        options.log.info({ records: spool.records }, "records wait in the spool for the next start");
    },
  };
}
