/**
 * Rows as lines of JSON that PostgreSQL itself writes and reads: nothing of ours stands between a value and its copy, and
 * both databases write a row with the same bytes, so that checksums of lines compare them.
 */
import type { Run } from "../line";
import type { Sql } from "../sql";
import { type Part, quoteName, type Table } from "./tables";

const SLICE_WITHIN_MS = 60_000;
const SLICE_ROWS = 500;
/** As stored: texts may be compressed there. */
const SLICE_BYTES = 256 * 1024;

/** What a table or a part of it holds: how many rows, and a sum that no order of theirs changes. */
export class Tally {
  rows = 0;
  #sum = 0n;

  add(line: string): void {
    this.rows++;
    this.#sum = BigInt.asUintN(64, this.#sum + Bun.hash.xxHash64(line));
  }
  addAll(other: Tally): void {
    this.rows += other.rows;
    this.#sum = BigInt.asUintN(64, this.#sum + other.#sum);
  }
  /** The sum of the lines' xxHash64, modulo 2^64, in hexadecimal digits. */
  get checksum(): string {
    return this.#sum.toString(16).padStart(16, "0");
  }
  equals(other: Tally): boolean {
    return this.rows === other.rows && this.#sum === other.#sum;
  }
}

/** Reads the rows of a part, slice by slice in the order of the key: memory stays flat whatever a row holds. */
export async function* readRows(run: Run, table: Table, part: Part): AsyncGenerator<string[]> {
  const columns = table.columns.map(quoteName);
  const key = table.key.map(({ name }) => quoteName(name)).join(", ");
  // Of each column alone, as it is stored: of a whole row PostgreSQL would first unpack every text.
  const size = columns.map((column) => `coalesce(pg_column_size(${column}), 0)`).join(" + ");
  const after = table.key.map(({ type }, index) => `$${index + 1}::text::${type}`).join(", ");
  const textOf = (isFirst: boolean) => `
    select (select row_to_json(line) from (select ${columns.map((column) => `slice.${column}`).join(", ")}) as line)::text as line,
      array[${table.key.map(({ name }) => `slice.${quoteName(name)}::text`).join(", ")}] as key
    from (
      select ${columns.join(", ")}, ${size} as "row size", sum(${size}) over (order by ${key}) as "size so far"
      from ${quoteName(part.name)} ${isFirst ? "" : `where (${key}) > (${after})`}
      order by ${key} limit ${SLICE_ROWS}
    ) as slice
    where "size so far" - "row size" < ${SLICE_BYTES}
    order by ${key}`;
  let last: string[] = [];
  for (;;) {
    const rows = await run(
      (sql) => sql.unsafe<{ line: string; key: string[] }[]>(textOf(last.length === 0), last),
      SLICE_WITHIN_MS,
    );
    const end = rows.at(-1);
    if (!end) return;
    yield rows.map(({ line }) => line);
    last = end.key;
  }
}

/** What a part holds. */
export async function tallyOf(run: Run, table: Table, part: Part): Promise<Tally> {
  const tally = new Tally();
  for await (const lines of readRows(run, table, part)) for (const line of lines) tally.add(line);
  return tally;
}

/** Puts lines into a table. @returns how many rows went in: those that are there already are left as they are */
export async function putRows(
  sql: Sql,
  table: string,
  columns: readonly string[],
  lines: readonly string[],
): Promise<number> {
  const names = columns.map(quoteName).join(", ");
  const into = quoteName(table);
  const { count } = await sql.unsafe(
    `insert into ${into} (${names}) select ${names} from json_populate_recordset(null::${into}, $1::text::json) on conflict do nothing`,
    [`[${lines.join(",")}]`],
  );
  return count;
}

/** Gathers single lines into batches for one statement each. */
export class Batch {
  #lines: string[] = [];
  #size = 0;

  /** @returns the batch that this line fills; null while there is room */
  add(line: string): string[] | null {
    this.#lines.push(line);
    this.#size += line.length;
    return this.#lines.length < SLICE_ROWS && this.#size < 4 * SLICE_BYTES ? null : this.take();
  }
  take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#size = 0;
    return lines;
  }
}
