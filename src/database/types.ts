/**
 * How values go to PostgreSQL and come back, where it is not postgres.js's own way: int8 and arrays.
 *
 * Arrays are here because postgres.js (3.4.9) learns them by a query of its own at the start of each connection,
 * and when the connection is lost meanwhile, nobody can catch that query's error.
 */
import type postgres from "postgres";

/** int8 as a number where that is exact, which it is up to 9e15; else as a BigInt. */
export const int8: postgres.PostgresType<number | bigint> = {
  to: 20,
  from: [20],
  serialize: (value) => value.toString(),
  parse: parseInt8,
};

const plain = (text: string) => text;
/** OIDs of the array types (pg_type.dat), and what one element is read with. */
const elements: readonly [oid: number, read: (text: string) => unknown][] = [
  [1000, (text) => text === "t"],
  [1005, Number],
  [1007, Number],
  [1016, parseInt8],
  [1021, Number],
  [1022, Number],
  [1009, plain],
  [1015, plain],
  [2951, plain],
  [1115, (text) => new Date(text)],
  [1185, (text) => new Date(text)],
  [199, (text): unknown => JSON.parse(text)],
  [3807, (text): unknown => JSON.parse(text)],
];

/**
 * bool, int2, int4, int8, float4, float8, text, varchar, uuid, timestamps and json as arrays of one dimension.
 * Written as a parameter they are cast: `${ids}::text[]`.
 */
export const arrays: Record<string, postgres.PostgresType<unknown>> = Object.fromEntries(
  elements.map(([oid, read]) => [
    `array${oid}`,
    {
      to: oid,
      from: [oid],
      serialize: writeArray,
      parse: (text: string) => readArray(text).map((one) => (one === null ? null : read(one))),
    },
  ]),
);

function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** `{1,NULL,"a \"b\""}`: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function writeArray(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return `{${value.map(writeElement).join(",")}}`;
}

function writeElement(value: unknown): string {
  if (value === null) return "NULL";
  if (value === undefined) throw new Error("an array for the database holds undefined");
  const text =
    value instanceof Date
      ? value.toISOString()
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

function readArray(text: string): (string | null)[] {
  const found = text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs);
  return Array.from(found, ([, quoted, bare]) =>
    quoted === undefined ? (bare === "NULL" ? null : (bare ?? "")) : quoted.replace(/\\(.)/gs, "$1"),
  );
}
