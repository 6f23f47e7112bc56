/** CSV by RFC 4180. */

/** A value as a field; one that is absent is empty. */
export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  // Spreadsheets run what begins so as a formula, and texts and names are given by strangers.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return csvField(text);
}

/** A text as a field. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
