/** What ends comes in at the top while that is in sight, and is counted while it is not: nothing jumps under a reader. */
import { useEffect, useRef, useState } from "preact/hooks";
import { type EndedRequest, onEnded, reconnects } from "../../shared/live";
import { type RequestList, ROWS_A_PAGE } from "./list";
import { fits, isTailing, type Query, type Row, rowOf } from "./query";

/** What ends in so short a time comes in at once. */
const GATHER_MS = 200;
/** A request is in the database a moment after it has ended; until then its texts are not to be had. */
const STORED_MS = 1000;
const STORED_LATE_MS = 5000;
const LATEST = 20;
/** Rows among which there may be some that have come in live. */
const LOOKED_AT = 400;

export interface Tail {
  /** How many have ended since rows were held in their places. */
  readonly pending: number;
  /** Lets them in. */
  readonly show: () => void;
  /** Lets them in if nothing holds the rows in their places any more. */
  readonly release: () => void;
}

/** @param isHeld whether somebody reads, points at or has gone to a row, which must stay where it is */
export function useTail(list: RequestList, query: Query, isHeld: () => boolean): Tail {
  const [waiting, setWaiting] = useState(nobody);
  const held = useRef(isHeld);
  held.current = isHeld;
  const fillSoon = useRef(() => {});
  /** What has ended last may not be in the database yet when another list begins. */
  const latest = useRef<readonly EndedRequest[]>([]);
  useEffect(
    () =>
      onEnded((ended) => {
        latest.current = [...latest.current, ended].slice(-LATEST);
      }),
    [],
  );
  useEffect(() => {
    setWaiting(nobody);
    if (!isTailing(query)) return;
    list.add(latest.current.filter((ended) => fits(query, ended)).map(rowOf));
    let gathered: Row[] = [];
    const timers: Record<"gathering" | "filling" | "late", ReturnType<typeof setTimeout> | undefined> = {
      gathering: undefined,
      // The same goes for what had ended before the page was there.
      filling: setTimeout(() => fill(), STORED_MS),
      late: undefined,
    };
    const fill = () => {
      timers.filling = undefined;
      list.refresh(held.current());
      clearTimeout(timers.late);
      timers.late = setTimeout(() => {
        // One that has just ended names no server: the database's rows do.
        if (list.rows(0, LOOKED_AT).some((row) => row && row.server === undefined)) fill();
      }, STORED_LATE_MS);
    };
    fillSoon.current = () => {
      timers.filling ??= setTimeout(fill, STORED_MS);
    };
    const letIn = () => {
      timers.gathering = undefined;
      const ended = gathered;
      gathered = [];
      if (held.current()) return setWaiting((before) => withEnded(before, ended));
      list.add(ended);
      fillSoon.current();
    };
    const stop = onEnded((ended) => {
      if (!fits(query, ended)) return;
      gathered.push(rowOf(ended));
      timers.gathering ??= setTimeout(letIn, GATHER_MS);
    });
    return () => {
      stop();
      for (const timer of Object.values(timers)) clearTimeout(timer);
    };
  }, [list]);
  useEffect(() => {
    if (reconnects.value === 0) return;
    // What ended meanwhile nobody has told of.
    list.retry();
    if (isTailing(query)) list.refresh(held.current());
  }, [reconnects.value]);
  const show = () => {
    setWaiting(nobody);
    list.add(waiting.rows);
    list.refresh(false);
    fillSoon.current();
  };
  return { pending: waiting.count, show, release: () => waiting.count > 0 && !isHeld() && show() };
}

interface Waiting {
  readonly count: number;
  readonly rows: readonly Row[];
}
const nobody: Waiting = { count: 0, rows: [] };

/** Of more than a page some would be missing in between: then none is kept, and the list begins anew. */
function withEnded({ count, rows }: Waiting, ended: readonly Row[]): Waiting {
  const all = count + ended.length;
  return { count: all, rows: all < ROWS_A_PAGE ? [...rows, ...ended] : [] };
}
