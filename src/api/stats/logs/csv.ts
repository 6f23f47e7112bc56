/** Logs as CSV. */
import { csvCell } from "../../../csv";
import type { LogEntry } from "../../../ledger/read/entry";
import { entryProperties } from "./model";

/** The names of the fields, in the order of a log entry's. */
const names = Object.keys(entryProperties);

export const csvHead = `${names.join(",")}\r\n`;

export function csvLine(entry: LogEntry): string {
  const fields = new Map<string, unknown>(Object.entries(entry));
  return `${names.map((name) => csvCell(fields.get(name))).join(",")}\r\n`;
}
