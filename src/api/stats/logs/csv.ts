/** CSV by RFC 4180. */
import type { LogEntry } from "../../../ledger/read/entry";
import { entryProperties } from "./model";

/** The names of the fields, in the order of a log entry's. */
const names = Object.keys(entryProperties);

export const csvHead = `${names.join(",")}\r\n`;

export function csvLine(entry: LogEntry): string {
  const fields = new Map<string, unknown>(Object.entries(entry));
  return `${names.map((name) => cell(fields.get(name))).join(",")}\r\n`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  // Spreadsheets run what begins so as a formula, and texts are written by strangers.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return csvField(text);
}

/** A text as a field. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
