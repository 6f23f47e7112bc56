/** The table: of any number of rows those in sight are there, and a few on either side. */
import { useEffect, useLayoutEffect, useMemo } from "preact/hooks";
import * as say from "../../shared/format";
import { Skeleton, Trouble } from "../../shared/parts";
import { columns } from "./columns";
import type { RequestList } from "./list";
import { Nothing, Progress } from "./progress";
import type { Query } from "./query";
import { Head, RequestRow } from "./row";
import { useRowKeys } from "./row-keys";
import { mostRows, useSight } from "./sight";
import { useTail } from "./tail";

/** Rows on either side of those in sight. */
const BESIDE = 12;
const TIME_PX = 208;
/** The least that a column without a width of its own takes. */
const TEXT_PX = 200;

interface RequestTableProps {
  readonly list: RequestList;
  readonly query: Query;
  /** The request that is open beside it. */
  readonly open: string | null;
  /** Whether its rows are still those of an earlier question. */
  readonly isOld: boolean;
  readonly hasPrompts: boolean;
}

export function RequestTable({ list, query, open, isOld, hasPrompts }: RequestTableProps) {
  const { count, next, error } = list.state.value;
  const sight = useSight(count, () => tail.release());
  const { scroller, height, base, first, visible } = sight;
  const tail = useTail(list, query, () => !sight.isAtTop() || isReading(scroller.current));
  useEffect(() => list.show(first, first + visible), [list, first, visible]);
  // With the new rows, not a moment later: somebody may have scrolled by then.
  useLayoutEffect(sight.toTop, [list]);

  const { reached, focused } = useRowKeys(list, open, sight, tail.release);
  const chosen = columns.filter(
    ({ name, shown }) => shown.value === "shown" && (name !== "prompt" || hasPrompts),
  );
  // The same as long as they are: a row whose props are the same is not drawn again.
  const shown = useMemo(() => chosen, [chosen.map(({ name }) => name).join()]);
  const end = Math.min(base + mostRows, count);
  const from = Math.min(Math.max(base, first - BESIDE), end);
  const to = Math.min(first + visible + BESIDE, end);
  const rows = list.rows(from, to - 1);
  const isFocusedThere = rows.some((row) => row?.id === focused.current);
  const least = shown.reduce((sum, { width = TEXT_PX }) => sum + width, TIME_PX);
  const showNews = () => {
    sight.toTop();
    tail.show();
    scroller.current?.focus();
  };
  return (
    <section class="panel rows" aria-label="Table of requests">
      {tail.pending > 0 && (
        <button type="button" class="button primary small news" onClick={showNews}>
          {say.count(tail.pending)} new
        </button>
      )}
      <div class="scroll" ref={scroller}>
        <table
          class={isOld ? "table old" : "table"}
          aria-busy={isOld}
          aria-rowcount={next === null ? count + 1 : -1}
          style={{ "--least": `${least}px` }}
        >
          <caption class="unseen">Requests</caption>
          <thead>
            <tr>
              <Head title="Time" sort="timestamp" query={query} name="time" width={TIME_PX} />
              {shown.map(({ name, title, sort, isNumber, isMinor, width }) => (
                <Head key={name} {...{ name, title, sort, isNumber, isMinor, width, query }} />
              ))}
            </tr>
          </thead>
          <tbody>
            <tr class="gap" style={{ height: `${(from - base) * height}px` }} />
            {rows.map((row, place) => {
              const at = from + place;
              return row ? (
                <RequestRow
                  key={row.id}
                  {...{ row, at, columns: shown, reached }}
                  isOpen={row.id === open}
                  isReached={isFocusedThere ? row.id === focused.current : at === first}
                />
              ) : (
                <tr key={at} class="missing" aria-rowindex={at + 2}>
                  <td colSpan={shown.length + 1}>
                    <span class="unseen">Loading</span>
                  </td>
                </tr>
              );
            })}
            <tr class="gap" style={{ height: `${(end - to) * height}px` }} />
          </tbody>
        </table>
        {next === undefined && !error && <Skeleton lines={12} />}
        {count === 0 && error && <Trouble error={error} retry={list.retry} />}
        {count === 0 && next === null && !error && <Nothing query={query} />}
      </div>
      <Progress {...{ list, query, isOld }} />
    </section>
  );
}

/** Whether somebody points at a row or has gone to one, which must then stay where it is. */
function isReading(scroller: HTMLElement | null): boolean {
  const canPoint = matchMedia("(hover: hover)").matches;
  return scroller?.querySelector(canPoint ? "tbody :is(:hover, :focus)" : "tbody :focus") != null;
}
