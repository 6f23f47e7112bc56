/** A connection that is used as no HTTP client would: bytes to the letter, and what comes back. */
import { connect } from "node:net";

export type Bytes = string | Uint8Array;

export interface Said {
  /** Everything that came, a character a byte. */
  readonly text: string;
  /** The statuses of the answers in it, in order; none where the connection was closed without a word. */
  readonly statuses: readonly number[];
  /** Whether the server closed it; else the wanted answers had come, and it was closed from here. */
  readonly closed: boolean;
}

export interface Talk {
  /** Answers to wait for; without end when 0, which waits until the server closes the connection. */
  readonly answers?: number;
  /** Closes the connection when all is written, whatever comes. */
  readonly leave?: boolean;
  /** Written one after the other, each when the one before has left; else in one packet, as far as it goes. */
  readonly pauseMs?: number;
}

/** How long the server may take: a test that waits longer is stuck. */
const PATIENCE_MS = 30_000;

/**
 * Connects, writes, and reads until the answers have come or the server has closed.
 * @param bytes texts are written a byte a character
 * @throws Error when neither happens
 */
export function talk(
  port: number,
  bytes: Bytes | readonly Bytes[],
  { answers = 1, leave = false, pauseMs }: Talk = {},
): Promise<Said> {
  const { promise, resolve, reject } = Promise.withResolvers<Said>();
  const pieces = Array.isArray(bytes) ? bytes.map(toBuffer) : [toBuffer(bytes as Bytes)];
  const chunks: Buffer[] = [];
  let left = false;
  const socket = connect(port, "127.0.0.1");
  const said = (closed: boolean): Said => {
    const text = Buffer.concat(chunks).toString("latin1");
    return { text, statuses: statusesOf(text), closed };
  };
  const timer = setTimeout(() => {
    reject(new Error(`neither answered nor closed; so far: ${said(false).text.slice(0, 500)}`));
    socket.destroy();
  }, PATIENCE_MS);
  const goAway = () => {
    left = true;
    // Without a goodbye: ten thousand of them would leave ten thousand waiting ports.
    socket.resetAndDestroy();
  };
  socket.on("connect", async () => {
    if (pauseMs === undefined) socket.write(Buffer.concat(pieces), () => leave && goAway());
    else {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        socket.write(piece);
        await Bun.sleep(pauseMs);
      }
      if (leave) goAway();
    }
  });
  socket.on("data", (data: Buffer) => {
    chunks.push(data);
    if (answers > 0 && wholeAnswers(Buffer.concat(chunks).toString("latin1")) >= answers) goAway();
  });
  // A reset is the server's right: what it said before is what counts.
  socket.on("error", () => {});
  socket.on("close", () => {
    clearTimeout(timer);
    resolve(said(!left));
  });
  return promise;
}

function toBuffer(bytes: Bytes): Buffer {
  return typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes);
}

function wholeAnswers(text: string): number {
  return answersIn(text).filter(({ whole }) => whole).length;
}

function statusesOf(text: string): number[] {
  return answersIn(text).map(({ status }) => status);
}

function answersIn(text: string): { readonly status: number; readonly whole: boolean }[] {
  const found: { status: number; whole: boolean }[] = [];
  for (let rest = text; rest !== ""; ) {
    const headEnd = rest.indexOf("\r\n\r\n") + 4;
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(rest)?.[1]);
    if (headEnd < 4 || Number.isNaN(status)) break;
    const head = rest.slice(0, headEnd).toLowerCase();
    const size = bodySize(head, rest.slice(headEnd));
    // An interim answer is none.
    if (status !== 100) found.push({ status, whole: size !== null });
    if (size === null) break;
    rest = rest.slice(headEnd + size);
  }
  return found;
}

/** How much of what follows a head is its body; null where the end has not come. @param head in lower case */
export function bodySize(head: string, rest: string): number | null {
  if (head.includes("\r\ntransfer-encoding: chunked\r\n")) {
    if (rest.startsWith("0\r\n\r\n")) return 5;
    const end = rest.indexOf("\r\n0\r\n\r\n");
    return end === -1 ? null : end + 7;
  }
  const length = Number(/\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1] ?? 0);
  return rest.length < length ? null : length;
}
