/** Sizes as people write them: 500MB, 1GB, 1.5TB; decimal, as Ollama's are. */

const units: Readonly<Record<string, number>> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

/** @returns bytes, or undefined for what is no size; a number without a unit counts bytes */
export function readSize(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?b|)\s*$/i.exec(text);
  const unit = units[match?.[2]?.toLowerCase() || "b"];
  return match && unit !== undefined ? Math.round(Number(match[1]) * unit) : undefined;
}

/** Such as "1GB" or "1.5GB". */
export function saySize(bytes: number): string {
  for (const unit of ["TB", "GB", "MB", "kB"]) {
    const size = units[unit.toLowerCase()] ?? 1;
    if (bytes >= size) return `${Math.round((bytes / size) * 10) / 10}${unit}`;
  }
  return `${bytes}B`;
}
