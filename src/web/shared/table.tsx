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
}

interface TableProps<Row> {
  /** For screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
}

export function Table<Row>({ caption, columns, rows, keyOf }: TableProps<Row>) {
  return (
    <table class="table">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.title} scope="col" class={classOf(column)}>
              <span class={column.isTitleHidden ? "unseen" : ""}>{column.title}</span>
            </th>
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

function classOf<Row>({ isNumber, isMinor, isWide }: Column<Row>): string {
  return [isNumber && "number", isMinor && "minor", isWide && "wide"].filter(Boolean).join(" ");
}
