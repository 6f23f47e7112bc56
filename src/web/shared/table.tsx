/** Tables: text to the left, numbers to the right under a right-hand title. */
import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly isNumber?: boolean;
  /** Left out on a telephone. */
  readonly isMinor?: boolean;
  /** Takes what room is left, and is cut with an ellipsis. */
  readonly isWide?: boolean;
  /** The title is for screen readers alone. */
  readonly isTitleHidden?: boolean;
  /** What the rows are sorted by when its title is pressed. */
  readonly sort?: string;
}

interface Sorting {
  readonly by: string;
  readonly isDescending: boolean;
  readonly choose: (by: string) => void;
}

interface TableProps<Row> {
  /** For screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly sorting?: Sorting;
}

export function Table<Row>({ caption, columns, rows, keyOf, sorting }: TableProps<Row>) {
  return (
    <table class="table">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <Title key={column.title} column={column} sorting={sorting} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map((column) => (
              <td key={column.title} class={classOf(column)}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Title<Row>({
  column,
  sorting,
}: {
  readonly column: Column<Row>;
  readonly sorting: Sorting | undefined;
}) {
  const { title, sort, isTitleHidden } = column;
  const direction = sorting?.isDescending ? "descending" : "ascending";
  const isSorted = sort !== undefined && sorting?.by === sort;
  return (
    <th scope="col" class={classOf(column)} aria-sort={isSorted ? direction : undefined}>
      {sort !== undefined && sorting ? (
        <button type="button" class="sort" onClick={() => sorting.choose(sort)}>
          {title}
        </button>
      ) : (
        <span class={isTitleHidden ? "unseen" : ""}>{title}</span>
      )}
    </th>
  );
}

function classOf<Row>({ isNumber, isMinor, isWide }: Column<Row>): string {
  return [isNumber && "number", isMinor && "minor", isWide && "wide"].filter(Boolean).join(" ");
}
