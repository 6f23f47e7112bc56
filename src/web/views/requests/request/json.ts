/** Reading JSON of which nobody knows what it holds. */

/** A field; undefined where there is none. */
export function field(json: unknown, name: string): unknown {
  return typeof json === "object" && json !== null ? Reflect.get(json, name) : undefined;
}

export function textField(json: unknown, name: string): string | null {
  const value = field(json, name);
  return typeof value === "string" ? value : null;
}

export function listField(json: unknown, name: string): readonly unknown[] {
  const value = field(json, name);
  return Array.isArray(value) ? value : [];
}

/** An object or a list that a text holds; null for any other text. */
export function structureIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What the ledger keeps of an image, a sound or a file. */
export interface KeptFile {
  readonly type: string | null;
  readonly bytes: number;
  readonly sha256: string;
}

/** @returns what is kept of a file, where that is one, or a block around one */
export function keptFile(json: unknown): KeptFile | null {
  const described = textField(json, "sha256") === null ? field(json, "source") : json;
  const [bytes, sha256] = [field(described, "bytes"), textField(described, "sha256")];
  return typeof bytes === "number" && sha256 !== null && /^[0-9a-f]{64}$/.test(sha256)
    ? { type: textField(described, "type"), bytes, sha256 }
    : null;
}
