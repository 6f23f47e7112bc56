/**
 * Connections to the engine: kept open between requests, one request at a time on each. Ours rather than fetch, since
 * a request's path is what the program is for: fetch runs 256 at once, hides whether a byte of the answer has come,
 * and takes a thread of its own to each chunk.
 */
import type { Socket, SocketHandler } from "bun";
import { messageOf } from "../../errors";
import { codeOf } from "../client";
import { type Answer, type Asking, Exchange } from "./exchange";

/** There is no connection to be had: nothing was sent. */
export class NoConnection extends Error {
  readonly code: string;
  constructor(address: string, code: string) {
    super(`no connection to ${address} (${code})`);
    this.code = code;
  }
}

/** A head and a body up to this go out in one piece. */
const SMALL_BYTES = 65_536;
const MOST_IDLE = 64;
/** What is between us and an engine elsewhere forgets a silent connection, and says nothing. */
const IDLE_SECONDS = 60;
/** The system gives up after two minutes on a machine that is silent, and never on a handshake that is. */
const OPEN_WITHIN_MS = 15_000;

export class Connections {
  /** By address. */
  readonly #idle = new Map<string, Connection[]>();
  readonly #openWithinMs: number;

  /** @param openWithinMs how long a connection may take to be there, its handshake included */
  constructor(openWithinMs = OPEN_WITHIN_MS) {
    this.#openWithinMs = openWithinMs;
  }

  /**
   * Sends a request.
   * @param address the engine's base URL; a path in it goes before the request's own
   * @returns its answer, once its head has come
   * @throws NoConnection; ConnectionLost; NotHttp; the signal's reason
   */
  async ask(address: string, asking: Asking): Promise<Answer> {
    asking.signal.throwIfAborted();
    // One that was kept may be closed by now, and what streams can't be sent again.
    const kept = asking.body instanceof ReadableStream ? undefined : this.#idle.get(address)?.pop();
    const connection = kept ?? (await open(address, asking.signal, this.#openWithinMs));
    if (asking.signal.aborted) {
      connection.close();
      throw asking.signal.reason;
    }
    return connection.ask(asking, () => this.#keep(address, connection));
  }

  /** Closes those that wait for a request. */
  close(): void {
    for (const idle of this.#idle.values()) for (const connection of idle.splice(0)) connection.close();
  }

  #keep(address: string, connection: Connection): void {
    const idle = this.#idle.get(address) ?? [];
    this.#idle.set(address, idle);
    if (idle.length >= MOST_IDLE) connection.close();
    else {
      idle.push(connection);
      connection.rest(() => {
        const place = idle.indexOf(connection);
        if (place !== -1) idle.splice(place, 1);
      });
    }
  }
}

/** A socket and the request that is on it. */
class Connection {
  readonly #socket: Socket<Holder>;
  readonly #host: string;
  readonly #prefix: string;
  #exchange: Exchange | null = null;
  /** Called when it is closed while it waits for a request. */
  #gone: (() => void) | null = null;
  /** Waits until the socket takes more. */
  #drained: (() => void) | null = null;
  #isClosed = false;

  constructor(socket: Socket<Holder>, url: URL) {
    this.#socket = socket;
    this.#host = url.host;
    this.#prefix = url.pathname === "/" ? "" : url.pathname;
  }

  ask(asking: Asking, keep: () => void): Promise<Answer> {
    this.#gone = null;
    this.#socket.timeout(0);
    const exchange = new Exchange(asking, this.#socket, (canCarryMore) => {
      this.#exchange = null;
      if (canCarryMore) keep();
      else this.close();
    });
    this.#exchange = exchange;
    this.#send(asking, exchange).catch((error: unknown) => exchange.fail(error));
    return exchange.answer;
  }

  /** Waits for the next request. */
  rest(gone: () => void): void {
    this.#gone = gone;
    this.#socket.timeout(IDLE_SECONDS);
  }

  close(): void {
    this.#socket.terminate();
  }

  heard(bytes: Uint8Array): void {
    if (this.#exchange) this.#exchange.heard(bytes);
    // Nobody asked anything.
    else this.close();
  }

  drained(): void {
    this.#drained?.();
    this.#drained = null;
  }

  closed(code: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.drained();
    this.#gone?.();
    this.#exchange?.lost(code);
  }

  async #send({ method, path, header, body, length }: Asking, exchange: Exchange): Promise<void> {
    const start = `${method} ${this.#prefix}${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${header}`;
    if (body instanceof ReadableStream) {
      const framing = length === null ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`;
      await this.#write(Buffer.from(`${start}${framing}\r\n\r\n`, "latin1"));
      await this.#stream(body, length === null, exchange);
    } else {
      const says = body !== null || ["POST", "PUT", "PATCH"].includes(method);
      const framing = says ? `Content-Length: ${body?.length ?? 0}\r\n` : "";
      const head = Buffer.from(`${start}${framing}\r\n`, "latin1");
      if (body === null || body.length <= SMALL_BYTES)
        await this.#write(body === null ? head : Buffer.concat([head, body]));
      else {
        await this.#write(head);
        await this.#write(body);
      }
    }
    exchange.sent();
  }

  /** Sends a body no faster than the engine takes it. */
  async #stream(body: ReadableStream<Uint8Array>, isChunked: boolean, exchange: Exchange): Promise<void> {
    const reader = body.getReader();
    exchange.onOver(() => void reader.cancel().catch(() => {}));
    for (;;) {
      const next = await reader.read();
      if (exchange.isOver) return;
      if (next.done) break;
      if (next.value.length === 0) continue;
      if (isChunked) await this.#write(Buffer.from(`${next.value.length.toString(16)}\r\n`));
      await this.#write(next.value);
      if (isChunked) await this.#write(crlf);
    }
    if (isChunked) await this.#write(lastChunk);
  }

  /** Writes all of it, unless the connection ends: then the exchange knows. */
  async #write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (!this.#isClosed) {
      const count = this.#socket.write(rest);
      if (count >= rest.length) return;
      if (count > 0) rest = rest.subarray(count);
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
  }
}

const crlf = Buffer.from("\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

/** What a socket is told apart by: its connection, once it is there. */
interface Holder {
  connection: Connection | null;
  readonly isSecret: boolean;
  /** Settles the opening. */
  readonly opened: PromiseWithResolvers<Socket<Holder>>;
}

/** @throws NoConnection, also when the signal ends the wait */
async function open(address: string, signal: AbortSignal, withinMs: number): Promise<Connection> {
  const url = new URL(address);
  const isSecret = url.protocol === "https:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const opened = Promise.withResolvers<Socket<Holder>>();
  const holder: Holder = { connection: null, isSecret, opened };
  const connecting = Bun.connect<Holder>({
    hostname,
    port: Number(url.port || (isSecret ? 443 : 80)),
    data: holder,
    ...(isSecret ? { tls: { serverName: hostname } } : {}),
    socket: handlers,
  });
  connecting.catch(opened.reject);
  const leave = () => opened.reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  const limit = setTimeout(() => opened.reject(new Error(`not within ${withinMs / 1000} s`)), withinMs);
  try {
    holder.connection = new Connection(await opened.promise, url);
    return holder.connection;
  } catch (error) {
    // It may still come, or wait for a handshake.
    connecting.then(
      (socket) => socket.terminate(),
      () => {},
    );
    throw new NoConnection(address, codeOf(error) || messageOf(error));
  } finally {
    clearTimeout(limit);
    signal.removeEventListener("abort", leave);
  }
}

const handlers: SocketHandler<Holder> = {
  open: (socket) => {
    socket.setNoDelay(true);
    if (!socket.data.isSecret) socket.data.opened.resolve(socket);
  },
  handshake: (socket, isTrusted, error) => {
    if (isTrusted) socket.data.opened.resolve(socket);
    else socket.data.opened.reject(error ?? new Error("its certificate is not trusted"));
  },
  data: (socket, bytes) => socket.data.connection?.heard(bytes),
  drain: (socket) => socket.data.connection?.drained(),
  timeout: (socket) => socket.terminate(),
  // It is closed with it.
  error: () => {},
  close: (socket, error) => {
    const code = codeOf(error) || "ECONNRESET";
    socket.data.opened.reject(new Error(code));
    socket.data.connection?.closed(code);
  },
};
