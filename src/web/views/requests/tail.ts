/** What ends comes in at the top while that is in sight, and is counted while it is not: nothing jumps under a reader. */
import { useEffect, useRef, useState } from "preact/hooks";
import { onEnded, reconnects } from "../../shared/live";
import type { RequestList } from "./list";
import { fits, isTailing, type Query, type Row, rowOf } from "./query";

/** What ends in so short a time comes in at once. */
const GATHER_MS = 200;
/** A request is in the database a moment after it has ended; until then its texts are not to be had. */
const STORED_MS = 800;
const STORED_LATE_MS = 5000;
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
  const [pending, setPending] = useState(0);
  const held = useRef(isHeld);
  held.current = isHeld;
  useEffect(() => {
    setPending(0);
    if (!isTailing(query)) return;
    let gathered: Row[] = [];
    let gathering: ReturnType<typeof setTimeout> | undefined;
    let filling: ReturnType<typeof setTimeout> | undefined;
    const fill = () => {
      list.refresh(held.current());
      // One that has just ended names no server: the database's rows do.
      filling = setTimeout(() => {
        filling = undefined;
        if (list.rows(0, LOOKED_AT).some((row) => row && row.server === undefined)) fill();
      }, STORED_LATE_MS);
    };
    // One that ended just before the list began was not in the database yet.
    filling = setTimeout(fill, STORED_MS);
    const letIn = () => {
      gathering = undefined;
      if (held.current()) setPending((count) => count + gathered.length);
      else list.add(gathered);
      gathered = [];
      clearTimeout(filling);
      filling = setTimeout(fill, STORED_MS);
    };
    const stop = onEnded((ended) => {
      if (!fits(query, ended)) return;
      gathered.push(rowOf(ended));
      gathering ??= setTimeout(letIn, GATHER_MS);
    });
    return () => {
      stop();
      clearTimeout(gathering);
      clearTimeout(filling);
    };
  }, [list]);
  useEffect(() => {
    if (reconnects.value === 0) return;
    // What ended meanwhile nobody has told of.
    list.retry();
    if (isTailing(query)) list.refresh(held.current());
  }, [reconnects.value]);
  const show = () => {
    setPending(0);
    list.refresh(false);
  };
  return { pending, show, release: () => pending > 0 && !isHeld() && show() };
}
