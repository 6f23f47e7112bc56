/** Going from row to row by keys: the focus goes along, and beside an open request its neighbour opens. */
import type { RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { replaceBy } from "../../shared/address";
import { useKeys } from "../../shared/keys";
import { searchId } from "./filters";
import type { RequestList } from "./list";
import { hrefTo } from "./row";
import type { Sight } from "./sight";

interface RowKeys {
  /** To be called when a row has got the focus. */
  readonly reached: (id: string) => void;
  /** The row that keys last went to. */
  readonly focused: RefObject<string | null>;
}

/** @param left called when the pointer or the focus has left the rows */
export function useRowKeys(list: RequestList, open: string | null, sight: Sight, left: () => void): RowKeys {
  const { scroller, height } = sight;
  const { count } = list.state.value;
  const focused = useRef<string | null>(null);
  /** The place of the row that the focus is to go to once it is there. */
  const wanted = useRef<number | null>(null);

  const focusWanted = () => {
    if (wanted.current === null) return;
    const link = scroller.current?.querySelector<HTMLElement>(`[aria-rowindex="${wanted.current + 2}"] a`);
    if (!link) return;
    wanted.current = null;
    link.focus({ preventScroll: true });
  };
  const goTo = (at: number) => {
    const place = Math.max(0, Math.min(at, count - 1));
    const [row] = list.rows(place, place);
    if (row === undefined) return;
    sight.reveal(place);
    if (row) focused.current = row.id;
    if (open !== null && row) return replaceBy(hrefTo(row.id));
    wanted.current = place;
    focusWanted();
  };
  const move = (rows: number) => {
    const from = open ?? focused.current;
    const at = from === null ? -1 : list.find(from);
    goTo(at >= 0 ? at + rows : sight.first);
  };
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.floor((scroller.current?.clientHeight ?? 0) / height) - 1;
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    const ends: Record<string, number> = { Home: 0, End: count - 1 };
    const [step, end] = [steps[event.key], ends[event.key]];
    if (step !== undefined) move(step);
    else if (end !== undefined) goTo(end);
    else return;
    event.preventDefault();
  };
  const latest = useRef({ move, press, left });
  latest.current = { move, press, left };
  useKeys(
    useMemo(
      () => ({
        j: ["Next request, as ↓ in the table", () => latest.current.move(1)],
        k: ["Previous request, as ↑ in the table", () => latest.current.move(-1)],
        "/": ["Search", () => document.getElementById(searchId)?.focus()],
      }),
      [],
    ),
  );
  useEffect(() => {
    const shown = scroller.current;
    if (!shown) return;
    shown.tabIndex = 0;
    shown.addEventListener("keydown", (event) => latest.current.press(event));
    for (const name of ["pointerleave", "focusout"])
      shown.addEventListener(name, () => latest.current.left());
  }, []);

  // A row that is scrolled away takes the focus with it: the keys are to go on.
  const hadFocus = scroller.current?.contains(document.activeElement) ?? false;
  useLayoutEffect(() => {
    focusWanted();
    if (hadFocus && document.activeElement === document.body)
      scroller.current?.focus({ preventScroll: true });
  });

  useEffect(() => {
    focused.current = open;
  }, [list]);

  // Closed, one is back where one was.
  const opened = useRef(open);
  useEffect(() => {
    const last = opened.current;
    opened.current = open;
    if (open !== null) focused.current = open;
    if (last === null || open !== null) return;
    const at = list.find(last);
    if (at >= 0) goTo(at);
  }, [open]);
  const reached = useCallback((id: string) => {
    focused.current = id;
  }, []);
  return { focused, reached };
}
