/** What a model is called, and how its size is said. */

/** The canonical name: `llama3.2` and `llama3.2:latest` are one model everywhere. */
export function canonicalModel(name: string): string {
  return name.endsWith(":latest") ? name.slice(0, -":latest".length) : name;
}

/** Decimal, in the digits of `ollama list`: 4661224676 is "4.7 GB". */
export function sayBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = value >= 10 || Number.isInteger(value) ? Math.trunc(value).toString() : value.toFixed(1);
  return `${digits} ${units[unit]}`;
}

/** A digest with its algorithm in front. */
export function fullDigest(digest: string): string {
  return digest === "" || digest.includes(":") ? digest : `sha256:${digest}`;
}
