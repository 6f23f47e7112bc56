/** An answer of HTTP/1.1 read from a connection's bytes as they come (RFC 9112). Pure: no I/O. */

/** A header field: its name and its value, as they came. */
export type Field = readonly [name: string, value: string];

export interface AnswerHead {
  readonly status: number;
  readonly fields: readonly Field[];
}

/** What came is not HTTP/1.1. */
export class NotHttp extends Error {
  readonly code = "NotHttp";
}

/** Go's own limit for what it reads is 1 MB. */
const MOST_HEAD_BYTES = 1_048_576;
/** Of the line before a chunk: its size, and extensions that nobody uses. */
const MOST_LINE_BYTES = 4096;
const headEnd = Buffer.from("\r\n\r\n");
const nothing = new Uint8Array(0);

/** How the end of a body is known. */
type Framing = "chunked" | "length" | "close";
/** Where in a chunked body the next byte belongs. */
type ChunkPart = "size" | "data" | "end of data" | "trailer";

export class AnswerReader {
  readonly #isHead: boolean;
  #head: AnswerHead | null = null;
  #isEnded = false;
  #keepsOpen = false;
  #framing: Framing = "close";
  #chunkPart: ChunkPart = "size";
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  /** What can't be read before more comes: a part of the head, or of a chunk's line. */
  #held: Uint8Array = nothing;
  #hasBegun = false;

  /** @param method of the request that is answered */
  constructor(method: string) {
    this.#isHead = method === "HEAD";
  }

  /** Status and header fields; null until they have come whole. */
  get head(): AnswerHead | null {
    return this.#head;
  }
  /** Whether a byte of it has come. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }
  /** Whether it has come whole. */
  get isEnded(): boolean {
    return this.#isEnded;
  }
  /** Whether the connection can carry another request once this answer has ended. */
  get keepsOpen(): boolean {
    return this.#keepsOpen;
  }

  /**
   * Reads what has come.
   * @param bytes may be written over afterwards
   * @returns what of the body is in it, a copy; empty where there is none
   * @throws NotHttp
   */
  take(bytes: Uint8Array): Uint8Array {
    this.#hasBegun = true;
    let rest = bytes;
    if (this.#held.length > 0) {
      rest = Buffer.concat([this.#held, bytes]);
      this.#held = nothing;
    }
    while (this.#head === null) {
      const end = Buffer.from(rest.buffer, rest.byteOffset, rest.length).indexOf(headEnd);
      if (end === -1) {
        if (rest.length > MOST_HEAD_BYTES) throw new NotHttp("its header is longer than 1 MB");
        this.#held = rest.slice();
        return nothing;
      }
      this.#readHead(latin1(rest, 0, end));
      rest = rest.subarray(end + headEnd.length);
    }
    return this.#readBody(rest);
  }

  /** The connection has ended. @returns whether the answer is whole by that */
  close(): boolean {
    if (this.#head !== null && this.#framing === "close") this.#isEnded = true;
    return this.#isEnded;
  }

  #readHead(text: string): void {
    const lines = text.split("\r\n");
    const line = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(lines[0] ?? "");
    if (!line) throw new NotHttp("its first line is not one of HTTP/1.1");
    const status = Number(line[2]);
    if (status === 101) throw new NotHttp("it changes the protocol, which nobody asked for");
    // 100 Continue and its like say that the answer comes later.
    if (status < 200) return;
    const fields: Field[] = [];
    for (let index = 1; index < lines.length; index++) {
      const field = lines[index] ?? "";
      const colon = field.indexOf(":");
      // A line that is folded onto the one before has no name of its own, either.
      if (colon < 1 || !/^[\w!#$%&'*+.^`|~-]+$/.test(field.slice(0, colon)))
        throw new NotHttp("a line of its header is no field");
      fields.push([field.slice(0, colon), field.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")]);
    }
    this.#head = { status, fields };
    const connection = (fieldOf(fields, "connection") ?? "").toLowerCase();
    this.#keepsOpen = line[1] === "1" && !/(^|[\s,])close([\s,]|$)/.test(connection);
    this.#frame(status, fields);
  }

  /** How long the body is (RFC 9112, 6.3). */
  #frame(status: number, fields: readonly Field[]): void {
    if (this.#isHead || status === 204 || status === 304) {
      this.#isEnded = true;
      return;
    }
    const coding = fieldOf(fields, "transfer-encoding");
    if (coding !== null) {
      // Another coding would be unpacked by nobody: its bytes go on until the connection ends.
      this.#framing = /^\s*chunked\s*$/i.test(coding) ? "chunked" : "close";
    } else {
      const length = fieldOf(fields, "content-length");
      if (length !== null) {
        // Two that agree are one.
        const [first = "", ...others] = length.split(/\s*,\s*/);
        if (!/^\d{1,15}$/.test(first) || others.some((other) => other !== first))
          throw new NotHttp("its content-length is no number");
        this.#framing = "length";
        this.#left = Number(first);
        this.#isEnded = this.#left === 0;
      }
    }
    if (this.#framing === "close") this.#keepsOpen = false;
  }

  #readBody(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return nothing;
    if (this.#isEnded) {
      // What comes behind the end belongs to nothing that was asked.
      this.#keepsOpen = false;
      return nothing;
    }
    if (this.#framing === "close") return bytes.slice();
    if (this.#framing === "chunked") return this.#readChunks(bytes);
    const body = bytes.slice(0, this.#left);
    this.#left -= body.length;
    this.#isEnded = this.#left === 0;
    if (body.length < bytes.length) this.#keepsOpen = false;
    return body;
  }

  #readChunks(bytes: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length && !this.#isEnded) {
      if (this.#chunkPart === "data") {
        const part = bytes.subarray(at, at + this.#left);
        parts.push(part);
        at += part.length;
        this.#left -= part.length;
        if (this.#left === 0) this.#chunkPart = "end of data";
        continue;
      }
      const end = bytes.indexOf(0x0a, at);
      if (end === -1) {
        if (bytes.length - at > MOST_LINE_BYTES) throw new NotHttp("the line before a chunk has no end");
        this.#held = bytes.slice(at);
        break;
      }
      if (end === at || bytes[end - 1] !== 0x0d)
        throw new NotHttp("a line between chunks does not end as one");
      this.#readLine(bytes, at, end - 1);
      at = end + 1;
    }
    if (this.#isEnded && at < bytes.length) this.#keepsOpen = false;
    const [only] = parts;
    return only && parts.length === 1 ? only.slice() : Buffer.concat(parts);
  }

  #readLine(bytes: Uint8Array, from: number, to: number): void {
    if (this.#chunkPart === "end of data") {
      if (from !== to) throw new NotHttp("a chunk is longer than it said");
      this.#chunkPart = "size";
    } else if (this.#chunkPart === "trailer") {
      // Nobody reads trailers; the empty line behind them ends the answer.
      this.#isEnded = from === to;
    } else {
      const line = latin1(bytes, from, to);
      const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;|$)/.exec(line)?.[1];
      if (size === undefined) throw new NotHttp("a chunk does not say its size");
      this.#left = Number.parseInt(size, 16);
      this.#chunkPart = this.#left === 0 ? "trailer" : "data";
    }
  }
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
}

/** The value of a field, whose name is given in lower case; of several, all of them with commas between; null for none. */
export function fieldOf(fields: readonly Field[], name: string): string | null {
  let found: string | null = null;
  for (const [one, value] of fields)
    if (one.length === name.length && one.toLowerCase() === name)
      found = found === null ? value : `${found}, ${value}`;
  return found;
}
