/** Bytes cut anywhere, back into lines. Cut at the byte, so a character that the network split stays whole. */

const NEWLINE = 10;
/** A line beyond this is no frame of a reply; what is kept of it must be bounded. */
const LONGEST_LINE_BYTES = 64_000_000;

export interface Lines {
  /** Whether a line stands unfinished. */
  readonly open: boolean;
  /** The lines that a chunk completes, without their ends; empty ones are left out. */
  take(chunk: Uint8Array): string[];
  /** What stands unfinished, "" for nothing. */
  rest(): string;
}

export function createLines(): Lines {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];
  let size = 0;

  function join(last: Uint8Array): string {
    if (parts.length === 0) return decoder.decode(last).trim();
    const whole = Buffer.concat([...parts, last]);
    parts = [];
    size = 0;
    return decoder.decode(whole).trim();
  }

  return {
    get open() {
      return size > 0;
    },
    take(chunk) {
      const lines: string[] = [];
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
        const line = join(chunk.subarray(from, end));
        if (line !== "") lines.push(line);
        from = end + 1;
      }
      if (from < chunk.length && size + chunk.length - from <= LONGEST_LINE_BYTES) {
        parts.push(chunk.subarray(from));
        size += chunk.length - from;
      }
      return lines;
    },
    rest: () => join(new Uint8Array(0)),
  };
}
