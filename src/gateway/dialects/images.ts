/** Images, sounds and files in a request are kept as their type, size and digest, not as bytes. */

export interface DescribedFile {
  /** Such as image/png; absent where nothing tells it. */
  readonly type?: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a file in base64 is. @param type as its sender says; else it is read from its first bytes */
export function describeFile(base64: string, type: string | null = null): DescribedFile {
  return describeBytes(Buffer.from(base64, "base64"), type);
}

/** What a file is. @param type as its sender says; else it is read from its first bytes */
export function describeBytes(bytes: Buffer, type: string | null): DescribedFile {
  const known = type || typeOf(bytes);
  const described = {
    bytes: bytes.length,
    sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
  };
  return known ? { type: known, ...described } : described;
}

/** What is behind a `data:` URL in base64; null for any other text, such as an address. */
export function describeDataUrl(url: string): DescribedFile | null {
  const head = /^data:([^;,]*)(;[^,]*)?;base64,/.exec(url.slice(0, 300));
  return head ? describeFile(url.slice(head[0].length), head[1]) : null;
}

const signatures: readonly (readonly [type: string, at: number, letters: string])[] = [
  ["image/png", 1, "PNG\r\n"],
  ["image/jpeg", 0, "\u00ff\u00d8\u00ff"],
  ["image/gif", 0, "GIF8"],
  ["image/webp", 8, "WEBP"],
];

function typeOf(bytes: Buffer): string | null {
  const found = signatures.find(
    ([, at, letters]) => bytes.subarray(at, at + letters.length).toString("latin1") === letters,
  );
  return found?.[0] ?? null;
}
