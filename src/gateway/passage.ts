/**
 * A recorded request on its way: asked, sent, carried back chunk by chunk, recorded. The record is never in the way:
 * whatever goes wrong with it, bytes flow on.
 */

import type { Answer } from "../engine/http/exchange";
import { asFailure, Failure, failure, messageOf } from "../errors";
import type { Outcome } from "../ledger/record";
import { urlOf } from "../request-path";
import { malformedJson } from "../schema";
import type { Active, ActiveRequest } from "./active";
import { contractBodyBytes, hangUp, inferenceBodyBytes, jsonOf, plainOf, readBody } from "./body";
import {
  type Asked,
  type Body,
  type Dialect,
  type Head,
  noBytes,
  type Outgoing,
  type Reply,
} from "./dialects/dialect";
import { brokenReply, forward, headersToClient, sayBroken, type Upstream } from "./forward";
import { type Heart, heartbeatMs, orAfter } from "./heartbeat";
import { type Limits, type Watch, watch } from "./limits";
import { Recording, type RecordingParts } from "./recording";
import { contextAsked, truncatedHeader } from "./truncation";

export interface PassageOptions extends RecordingParts, Upstream {
  readonly active: Active;
  /** Whether the server stops: the request is refused at the door, and leaves no record. */
  readonly stopping: boolean;
  readonly limits: Limits;
  /** Called when it has been served, or its client has left. */
  readonly over: () => void;
}

/** Most characters kept of one reply's texts. */
const MOST_CHARACTERS = 4_000_000;

/** A reply whose status line is decided. */
interface Opened {
  readonly head: Head;
  readonly bytes: AsyncGenerator<Uint8Array, void>;
}

/** One recorded request, from its arrival to its end. */
export class Passage {
  readonly #options: PassageOptions;
  readonly #active: Active;
  readonly #request: Request;
  readonly #recording: Recording;
  readonly #abort = new AbortController();
  #reply: Reply | null = null;
  #watch: Watch | null = null;
  /** What the client was answered: the first that is decided, since there is one status line. */
  #status: number | null = null;
  /** What the engine answered. */
  #upstreamStatus: number | null = null;
  /** How long pieces waited for the client to take them; null until one did. */
  #clientWaitMs: number | null = null;
  /** Whether the engine's bytes are over. */
  #read = false;

  constructor(options: PassageOptions, request: Request, clientAddress: string | null) {
    this.#options = options;
    this.#active = options.active;
    this.#request = request;
    this.#recording = new Recording(options, request.headers, clientAddress, options.active.count);
    options.active.add({
      id: this.#recording.id,
      stop: () => this.#breakOff("server_stop", failure.stopping()),
      cancel: () => this.#breakOff("canceled", failure.canceled()),
      look: () => this.#look(),
      over: options.over,
    });
    // Both this signal and the stream's cancel are needed to see a client leave (traps.md).
    if (request.signal.aborted) this.#leave();
    else request.signal.addEventListener("abort", () => this.#leave(), { once: true });
  }

  /** Answers it. Never throws. */
  async answer(dialects: readonly Dialect[]): Promise<Response> {
    const last = dialects.at(-1);
    let dialect = dialects[0];
    if (!dialect || !last) throw new Error("an inference path has a dialect");
    try {
      const bytes = await this.#unlessEnded(readBody(this.#request, inferenceBodyBytes));
      const encoding = this.#request.headers.get("content-encoding");
      const type = this.#request.headers.get("content-type");
      const plain = plainOf(bytes, encoding);
      const body: Body = {
        bytes,
        compressed: plain !== bytes,
        json: plain === null ? undefined : dialect.read ? await dialect.read(plain, type) : jsonOf(plain),
      };
      dialect = dialects.find((one) => one.claims(body)) ?? last;
      if (dialect.name.startsWith("contract.") && bytes.length > contractBodyBytes)
        throw failure.tooLarge(contractBodyBytes);
      // Refused at the door: clients that try again at once would else fill the record with nothing.
      if (this.#options.stopping) throw failure.stopping();
      const asked = dialect.ask(body);
      // Its record is begun while the engine already reads it.
      const opening = asked.wrong ? null : this.#open(dialect, dialect.outgoing(body, asked), asked);
      this.#begin(dialect, asked);
      if (opening === null) throw body.json === undefined ? malformedJson(bytes) : asked.wrong;
      const everyMs = heartbeatMs(this.#request.headers, this.#options.limits.heartbeatMs);
      const beat = everyMs > 0 && asked.stream ? (dialect.heartbeat?.(asked) ?? null) : null;
      if (beat === null) return await this.#respond(await opening, null);
      const heart = { ...beat, everyMs };
      const opened = await orAfter(opening, everyMs);
      return opened === null
        ? this.#respondEarly(opening, dialect, asked, heart)
        : await this.#respond(opened, heart);
    } catch (error) {
      // One whose body never came whole is a request, too.
      if (this.#recording.begun === null && !this.#options.stopping)
        this.#begin(last, last.ask({ bytes: noBytes, compressed: false, json: undefined }));
      return this.#refuse(dialect, error);
    }
  }

  /** What is promised, unless the client leaves or the request is ended from this side first. @throws why */
  #unlessEnded<T>(promised: Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    signal.throwIfAborted();
    const ended = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    return Promise.race([promised, ended]);
  }

  /** Sends the request, and reads until the reply's status line is decided. @throws Failure */
  async #open(dialect: Dialect, outgoing: Outgoing, asked: Asked): Promise<Opened> {
    const answer = await forward(this.#options, {
      method: "POST",
      path: outgoing.path + (urlOf(this.#request)?.search ?? ""),
      headers: this.#request.headers,
      mustRead: true,
      body: outgoing.body,
      signal: this.#abort.signal,
    });
    this.#upstreamStatus = answer.status;
    const head = { status: answer.status, headers: headersToClient(answer.fields) };
    this.#options.knownModels.learn(
      this.#recording.begun?.model ?? null,
      answer.status,
      contextAsked(asked.options),
    );
    const reply = dialect.reply(asked, head, {
      mostCharacters: MOST_CHARACTERS,
      arrivedAt: this.#recording.arrivedAt,
    });
    this.#reply = reply;
    const chunks = this.#chunks(answer, reply);
    let first: IteratorResult<Uint8Array, void> | null = null;
    // The status line waits for the engine's first words where they decide it.
    while (reply.head === null && !(first?.done ?? false)) {
      const next = await chunks.next();
      if (next.done || next.value.length > 0) first = next;
    }
    const decided = reply.head;
    if (decided === null) throw failure.engineAnswer(502, "Ollama answered with nothing");
    return { head: decided, bytes: joined(first, chunks) };
  }

  /** The record is written before the bytes that end the reply go on. */
  #endIfSaid(reply: Reply): void {
    if (!reply.ended || reply.head === null) return;
    this.#status ??= reply.head.status;
    this.#end(null, null);
  }

  async #respond({ head, bytes }: Opened, heart: Heart | null): Promise<Response> {
    this.#status ??= head.status;
    if (!this.#read) return new Response(this.#stream(bytes, heart), head);
    const { truncated } = this.#recording;
    if (truncated !== null) head.headers.set(truncatedHeader, truncated);
    // All has come already: it goes out with its length, which Bun drops where it streams.
    const parts: Uint8Array[] = [];
    for await (const part of bytes) parts.push(part);
    this.#active.remove(this.#recording.id);
    return new Response(Buffer.concat(parts), head);
  }

  /** Answers before the engine does, to keep what is in between awake: what goes wrong from here on is said inside. */
  #respondEarly(opening: Promise<Opened>, dialect: Dialect, asked: Asked, heart: Heart): Response {
    const head = { status: 200, headers: heart.headers };
    this.#status ??= 200;
    const failed = (why: Failure) =>
      dialect.reply(asked, head, { mostCharacters: 0, arrivedAt: this.#recording.arrivedAt }).fail(why);
    const refuse = (error: unknown) => this.#refuse(dialect, error);
    const told = () => this.#reply?.told().error;
    const upstreamStatus = () => this.#upstreamStatus;
    async function* bytes(): AsyncGenerator<Uint8Array, void> {
      yield heart.bytes;
      try {
        const opened = await opening;
        if (opened.head.status === 200) return yield* opened.bytes;
        // Its body is no part of a stream: read for the record, and said in the stream's way.
        for await (const _ of opened.bytes);
        const words = told() ?? `Ollama answered ${upstreamStatus()}, and nothing that can be read`;
        yield failed(failure.engineAnswer(opened.head.status, words));
      } catch (error) {
        refuse(error);
        yield failed(asFailure(error));
      }
    }
    return new Response(this.#stream(bytes(), heart), head);
  }

  /** What the client gets, chunk by chunk; a reply that breaks ends in its dialect's error. Ends the record. */
  async *#chunks(answer: Answer, reply: Reply): AsyncGenerator<Uint8Array, void> {
    let broken: string | null = null;
    try {
      for (;;) {
        const chunk = await answer.read();
        if (chunk === null) break;
        const hadBegun = reply.pieces > 0;
        const bytes = reply.take(chunk, performance.now());
        this.#watch?.heard(reply.pieces > 0);
        if (!hadBegun && reply.pieces > 0) this.#active.tell(this.#recording.id);
        this.#endIfSaid(reply);
        yield bytes;
      }
      this.#read = true;
      const rest = reply.finish(performance.now());
      this.#endIfSaid(reply);
      if (rest.length > 0) yield rest;
      if (!reply.ended) broken = reply.told().error ?? "Ollama ended its answer in the middle";
    } catch (error) {
      if (this.#abort.signal.aborted) {
        if (reply.ended || !(this.#abort.signal.reason instanceof Failure)) return;
        if (reply.head === null) throw this.#abort.signal.reason;
        yield reply.fail(this.#abort.signal.reason);
        return;
      }
      broken = sayBroken(error);
    }
    if (broken === null || this.#recording.ended) return;
    const failed = await brokenReply(this.#options.engine, this.#recording.run, broken);
    if (reply.head === null) throw failed;
    this.#status ??= reply.head.status;
    this.#end(failed.code === "engine_crash" ? "engine_crash" : "engine_error", failed.message);
    yield reply.fail(failed);
  }

  /** Pull-based and unbuffered: a slow client holds back its own stream and nothing else. */
  #stream(chunks: AsyncGenerator<Uint8Array, void>, heart: Heart | null): ReadableStream<Uint8Array> {
    let pending: Promise<IteratorResult<Uint8Array, void>> | null = null;
    let handedAt: number | null = null;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (handedAt !== null)
            this.#clientWaitMs = (this.#clientWaitMs ?? 0) + performance.now() - handedAt;
          for (;;) {
            pending ??= chunks.next();
            const next = heart === null ? await pending : await orAfter(pending, heart.everyMs);
            if (next === null) {
              // Never inside a frame of the engine's.
              if (heart && (this.#reply?.between ?? true)) return controller.enqueue(heart.bytes);
              continue;
            }
            pending = null;
            if (next.done) {
              this.#active.remove(this.#recording.id);
              return controller.close();
            }
            if (next.value.length === 0) continue;
            handedAt = performance.now();
            return controller.enqueue(next.value);
          }
        },
        cancel: () => this.#leave(),
      },
      { highWaterMark: 0 },
    );
  }

  #begin(dialect: Dialect, asked: Asked): void {
    this.#recording.begin(dialect, asked);
    if (asked.stream) this.#watch = watch(this.#options.limits, (why) => this.#breakOff("timeout", why));
    this.#active.tell(this.#recording.id);
    // A client that left while its body was read; a server that stopped meanwhile says so when it is refused.
    if (this.#abort.signal.aborted && !(this.#abort.signal.reason instanceof Failure))
      this.#end("client_abort", null);
  }

  #refuse(dialect: Dialect, error: unknown): Response {
    if (this.#abort.signal.aborted && !(this.#abort.signal.reason instanceof Failure)) {
      this.#active.remove(this.#recording.id);
      return new Response(null, { status: 499 });
    }
    const known = asFailure(error);
    if (known.code === "internal") {
      this.#options.log.error(
        { id: this.#recording.id, error: messageOf(error) },
        "a request failed inside Corral",
      );
    }
    const response = hangUp(known, dialect.refuse(known));
    this.#status ??= response.status;
    const engineSpoke = this.#reply !== null;
    const outcome: Outcome =
      known.code === "engine_crash" ||
      known.code === "server_stop" ||
      known.code === "canceled" ||
      known.code === "timeout"
        ? known.code
        : engineSpoke || known.code === "engine_error" || known.code === "internal"
          ? "engine_error"
          : "rejected";
    this.#end(outcome, known.message);
    this.#active.remove(this.#recording.id);
    return response;
  }

  /** The client is gone: the engine's connection is closed, which stops its work. */
  #leave(): void {
    this.#active.remove(this.#recording.id);
    if (this.#abort.signal.aborted) return;
    this.#end("client_abort", null);
    this.#abort.abort("the client left");
  }

  /** Ends it from this side: the client is told in its dialect. */
  #breakOff(outcome: Outcome, why: Failure): void {
    if (this.#abort.signal.aborted) return;
    this.#status ??= why.status;
    this.#end(outcome, why.message);
    this.#abort.abort(why);
  }

  #look(): ActiveRequest | null {
    const { begun } = this.#recording;
    if (begun === null) return null;
    const { id, startedAt, model, dialect, operation, stream, clientAddress, userAgent, user } = begun;
    const { knownModels } = this.#options;
    const pieces = this.#reply?.pieces ?? 0;
    const isLoading = pieces === 0 && knownModels.cold(model) === true;
    // Whoever looks wants to know, and nobody else has a reason to ask while a model loads.
    if (isLoading) knownModels.lookAtLoaded();
    return {
      ...{ id, startedAt, model, dialect, operation, stream, clientAddress, userAgent, user },
      phase: pieces > 0 ? "generating" : isLoading ? "loading" : "prefill",
      seconds: Math.round(performance.now() - this.#recording.arrivedAt) / 1000,
      pieces,
    };
  }

  /** Ends the record, once. @param outcome null takes what the reply said */
  #end(outcome: Outcome | null, error: string | null): void {
    // Asked after each piece behind the end, too, and what was told is work to put together.
    if (this.#recording.ended) return;
    this.#watch?.end();
    this.#recording.end(outcome, error, {
      status: this.#status,
      upstreamStatus: this.#upstreamStatus,
      clientWaitMs: this.#clientWaitMs,
      told: this.#reply?.told() ?? null,
    });
  }
}

async function* joined(
  first: IteratorResult<Uint8Array, void> | null,
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  if (first && !first.done) yield first.value;
  yield* rest;
}
