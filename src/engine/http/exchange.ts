/** One request on a connection, and its answer as it is read. */
import { type AnswerHead, AnswerReader } from "./answer-reader";

export interface Asking {
  readonly method: string;
  /** Path and query, as they go on the wire. */
  readonly path: string;
  /** Lines of the header, each with its end; those of the body's length are added. */
  readonly header: string;
  readonly body: Uint8Array | ReadableStream<Uint8Array> | null;
  /** The length of a body that streams, where it is known. */
  readonly length: number | null;
  readonly signal: AbortSignal;
}

/** An answer whose head has come. */
export interface Answer extends AnswerHead {
  /** Whether it has come whole, but for what waits to be read. */
  readonly hasEnded: boolean;
  /**
   * The next piece of the body, or null at its end. Nothing is read ahead of it but what fits a buffer.
   * @throws ConnectionLost; the signal's reason
   */
  read(): Promise<Uint8Array | null>;
}

/** The connection ended before the answer did. */
export class ConnectionLost extends Error {
  readonly code: string;
  /** Whether a byte of the answer had come. */
  readonly hasBegun: boolean;
  constructor(code: string, hasBegun: boolean) {
    super(`the connection was lost (${code})`);
    this.code = code;
    this.hasBegun = hasBegun;
  }
}

/** What waits to be read of one answer; beyond it the engine waits. */
const MOST_WAITING_BYTES = 65_536;

/** What an exchange does with its socket: nobody is sent more than is read. */
interface Flow {
  pause(): void;
  resume(): void;
}

/** One request and its answer. */
export class Exchange implements Answer {
  readonly #asking: Asking;
  readonly #socket: Flow;
  readonly #reader: AnswerReader;
  readonly #over: (canCarryMore: boolean) => void;
  readonly #head = Promise.withResolvers<Answer>();
  readonly #pieces: Uint8Array[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #isSent = false;
  #isOver = false;
  #lost: { readonly why: unknown } | null = null;
  #wanted: PromiseWithResolvers<Uint8Array | null> | null = null;
  #atEnd: (() => void) | null = null;
  readonly #aborted = () => this.fail(this.#asking.signal.reason);

  /** @param over called once, when the connection is free of it; whether it can carry another */
  constructor(asking: Asking, socket: Flow, over: (canCarryMore: boolean) => void) {
    this.#asking = asking;
    this.#socket = socket;
    this.#reader = new AnswerReader(asking.method);
    this.#over = over;
    asking.signal.addEventListener("abort", this.#aborted, { once: true });
  }

  get answer(): Promise<Answer> {
    return this.#head.promise;
  }
  get status(): number {
    return this.#reader.head?.status ?? 0;
  }
  get fields(): AnswerHead["fields"] {
    return this.#reader.head?.fields ?? [];
  }
  get hasEnded(): boolean {
    return this.#reader.isEnded;
  }
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Calls back when it is over, whichever way. */
  onOver(call: () => void): void {
    if (this.#isOver) call();
    else this.#atEnd = call;
  }

  read(): Promise<Uint8Array | null> {
    const piece = this.#pieces.shift();
    if (piece) {
      this.#waitingBytes -= piece.length;
      if (this.#isPaused && this.#waitingBytes < MOST_WAITING_BYTES) {
        this.#isPaused = false;
        if (!this.#isOver) this.#socket.resume();
      }
      return Promise.resolve(piece);
    }
    if (this.#lost) return Promise.reject(this.#lost.why);
    if (this.#reader.isEnded) return Promise.resolve(null);
    this.#wanted = Promise.withResolvers<Uint8Array | null>();
    return this.#wanted.promise;
  }

  heard(bytes: Uint8Array): void {
    try {
      const hadHead = this.#reader.head !== null;
      const piece = this.#reader.take(bytes);
      if (piece.length > 0) this.#give(piece);
      if (this.#reader.isEnded) this.#end(this.#isSent && this.#reader.keepsOpen);
      if (!hadHead && this.#reader.head !== null) this.#head.resolve(this);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The request has gone out whole. */
  sent(): void {
    this.#isSent = true;
  }

  /** The connection is gone. */
  lost(code: string): void {
    if (this.#isOver) return;
    if (this.#reader.close()) this.#end(false);
    else this.fail(new ConnectionLost(code, this.#reader.hasBegun));
  }

  /** It can't go on. What has come is still read. */
  fail(why: unknown): void {
    if (this.#isOver) return;
    this.#lost = { why };
    // Nobody wants what is left.
    if (this.#asking.signal.aborted) this.#pieces.length = 0;
    this.#close(false);
    this.#head.reject(why);
    this.#wanted?.reject(why);
    this.#wanted = null;
  }

  #give(piece: Uint8Array): void {
    if (this.#wanted) {
      this.#wanted.resolve(piece);
      this.#wanted = null;
      return;
    }
    this.#pieces.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes < MOST_WAITING_BYTES || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  #end(canCarryMore: boolean): void {
    this.#close(canCarryMore);
    this.#wanted?.resolve(null);
    this.#wanted = null;
  }

  #close(canCarryMore: boolean): void {
    this.#isOver = true;
    this.#asking.signal.removeEventListener("abort", this.#aborted);
    if (this.#isPaused && canCarryMore) this.#socket.resume();
    this.#atEnd?.();
    this.#over(canCarryMore);
  }
}
