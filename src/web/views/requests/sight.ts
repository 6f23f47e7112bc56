/** Which rows are in sight: a scroll bar that goes over any number of rows of one height. */
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Rows that the scroll bar reaches: a browser draws no box higher than some 17 million pixels. */
export const mostRows = 200_000;
/** The view moves on by so many rows at once. */
const STEP = 4;
const HEAD_PX = 28;

export interface Sight {
  readonly scroller: RefObject<HTMLDivElement | null>;
  /** Of each row, in px. */
  readonly height: number;
  /** The first row that the scroll bar reaches. */
  readonly base: number;
  /** The first row in sight, and how many may be. */
  readonly first: number;
  readonly visible: number;
  /** Whether that is where the newest come in. */
  readonly isAtTop: () => boolean;
  readonly toTop: () => void;
  /** Scrolls as little as it takes to have a row in sight. */
  readonly reveal: (row: number) => void;
}

/**
 * @param count how many rows there are so far
 * @param moved called when it was scrolled
 */
export function useSight(count: number, moved: () => void): Sight {
  const scroller = useRef<HTMLDivElement | null>(null);
  const [{ base, first, visible }, setView] = useState({ base: 0, first: 0, visible: 40 });
  /** Where the same rows are once the base has moved. */
  const scrollTo = useRef<number | null>(null);
  // As in requests.css.
  const height = matchMedia("(max-width: 720px)").matches ? 52 : 32;

  const look = () => {
    const shown = scroller.current;
    if (!shown) return;
    const top = base + Math.floor(shown.scrollTop / height);
    const view = {
      base: movedBase(base, top, count),
      first: top - (top % STEP),
      visible: Math.ceil(shown.clientHeight / height) + STEP,
    };
    if (view.base !== base) scrollTo.current = shown.scrollTop - (view.base - base) * height;
    if (view.base !== base || view.first !== first || view.visible !== visible) setView(view);
    moved();
  };
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    const shown = scroller.current;
    if (!shown) return;
    const lookNow = () => latest.current();
    const observer = new ResizeObserver(lookNow);
    observer.observe(shown);
    shown.addEventListener("scroll", lookNow);
    return () => observer.disconnect();
  }, []);

  // From before the rows were changed: where they became fewer the browser has scrolled up by itself.
  useLayoutEffect(() => {
    if (scroller.current && scrollTo.current !== null) scroller.current.scrollTop = scrollTo.current;
    scrollTo.current = null;
  }, [base]);

  const toTop = () => {
    scrollTo.current = null;
    setView({ base: 0, first: 0, visible });
    if (scroller.current) scroller.current.scrollTop = 0;
  };
  const reveal = (row: number) => {
    const shown = scroller.current;
    if (!shown) return;
    if (row === 0) return toTop();
    const top = (row - base) * height;
    const bottom = top + HEAD_PX + height - shown.clientHeight;
    if (top < shown.scrollTop) shown.scrollTop = top;
    else if (bottom > shown.scrollTop) shown.scrollTop = bottom;
  };
  const isAtTop = () => base === 0 && (scroller.current?.scrollTop ?? 0) === 0;
  return { scroller, height, base, first, visible, isAtTop, toTop, reveal };
}

/**
 * The first row that the scroll bar reaches, moved on when the view comes near to either end of its reach.
 * @param base the first so far
 * @param first the first row in sight
 * @param count how many there are
 */
export function movedBase(base: number, first: number, count: number): number {
  const place = first - base;
  if (place > mostRows * 0.75 && count - base > mostRows) return base + mostRows / 2;
  if (base > 0 && place < mostRows * 0.25) return Math.max(0, base - mostRows / 2);
  return base;
}
