/**
 * A recorded request on its way: asked, sent, carried back chunk by chunk, recorded. The record is never in the way:
 * whatever goes wrong with it, bytes flow on.
 */

import { codeOf } from "../engine/client";
import { canonicalModel } from "../engine/models";
import type { Engine } from "../engine/service";
import { asFailure, Failure, failure, messageOf } from "../errors";
import type { Entry, Ledger } from "../ledger/ledger";
import type { Outcome } from "../ledger/record";
import type { Log } from "../log";
import { malformedJson } from "../schema";
import type { Active, ActiveRequest } from "./active";
import { contractBodyBytes, hangUp, inferenceBodyBytes, jsonOf, plainOf, readBody } from "./body";
import { keepsNothing, traceparentOf, userOf } from "./circumstances";
import type { Asked, Body, Dialect, Outgoing, Reply } from "./dialects/dialect";
import { brokenReply, forward, headersToClient, headersToEngine } from "./forward";
import type { KnownModels } from "./known-models";
import { type Limits, type Watch, watch } from "./limits";

export interface PassageOptions {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly active: Active;
  readonly knownModels: KnownModels;
  /** Whether the server stops: the request is refused at the door, and leaves no record. */
  readonly stopping: boolean;
  readonly limits: Limits;
  /** Called when it has been served, or its client has left. */
  readonly over: () => void;
}

/** Most characters kept of one reply's texts. */
const MOST_CHARACTERS = 4_000_000;

/** One recorded request, from its arrival to its end. */
export class Passage {
  readonly #options: PassageOptions;
  readonly #active: Active;
  readonly #request: Request;
  readonly #clientAddress: string | null;
  readonly #id = Bun.randomUUIDv7();
  readonly #startedAt = new Date();
  readonly #arrivedAt = performance.now();
  readonly #inFlight: number;
  readonly #run: number;
  readonly #abort = new AbortController();
  /** Whether the model was to be loaded when the request came. */
  #cold: boolean | null = null;
  #asked: Asked | null = null;
  #dialect: Dialect | null = null;
  #entry: Entry | null = null;
  #reply: Reply | null = null;
  #watch: Watch | null = null;
  /** Of the reply, that have come. */
  #pieces = 0;
  #status: number | null = null;
  /** What the engine answered. */
  #upstreamStatus: number | null = null;
  /** How long pieces waited for the client to take them; null until one did. */
  #clientWaitMs: number | null = null;
  /** Whether the engine's bytes are over. */
  #read = false;
  #ended = false;

  constructor(options: PassageOptions, request: Request, clientAddress: string | null) {
    this.#options = options;
    this.#active = options.active;
    this.#request = request;
    this.#clientAddress = clientAddress;
    this.#inFlight = options.active.count;
    this.#run = options.engine.run;
    options.active.add({
      id: this.#id,
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
      const bytes = await readBody(this.#request, inferenceBodyBytes);
      const encoding = this.#request.headers.get("content-encoding");
      const plain = plainOf(bytes, encoding);
      const body: Body = {
        bytes,
        compressed: plain !== bytes,
        json: plain === null ? undefined : jsonOf(plain),
      };
      dialect = dialects.find((one) => one.claims(body)) ?? last;
      if (dialect.name.startsWith("contract.") && bytes.length > contractBodyBytes)
        throw failure.tooLarge(contractBodyBytes);
      // Refused at the door: clients that try again at once would else fill the record with nothing.
      if (this.#options.stopping) throw failure.stopping();
      const asked = dialect.ask(body);
      this.#begin(dialect, asked);
      if (asked.wrong) throw body.json === undefined ? malformedJson(bytes) : asked.wrong;
      return await this.#carry(dialect, dialect.outgoing(body, asked), asked);
    } catch (error) {
      return this.#refuse(dialect, error);
    }
  }

  async #carry(dialect: Dialect, outgoing: Outgoing, asked: Asked): Promise<Response> {
    const { engine } = this.#options;
    const url = new URL(this.#request.url, "http://localhost");
    const headers = headersToEngine(this.#request.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    // What is read here must be readable: an engine behind another proxy may compress.
    headers.set("accept-encoding", "identity");
    const answer = await forward(engine, {
      method: "POST",
      path: outgoing.path + url.search,
      headers,
      body: outgoing.body,
      signal: this.#abort.signal,
    });
    this.#upstreamStatus = answer.status;
    const head = { status: answer.status, headers: headersToClient(answer.headers) };
    this.#options.knownModels.learn(asked.model === null ? null : canonicalModel(asked.model), answer.status);
    const reply = dialect.reply(asked, head, { mostCharacters: MOST_CHARACTERS, arrivedAt: this.#arrivedAt });
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
    this.#status = decided.status;
    const init = { status: decided.status, headers: decided.headers };
    if (!this.#read) return new Response(this.#stream(chunks, first), init);
    // All has come already: it goes out with its length, which Bun drops where it streams.
    const parts = first?.value ? [first.value] : [];
    for await (const part of chunks) parts.push(part);
    this.#active.remove(this.#id);
    return new Response(Buffer.concat(parts), init);
  }

  /** What the client gets, chunk by chunk; a reply that breaks ends in its dialect's error. Ends the record. */
  async *#chunks(answer: Response, reply: Reply): AsyncGenerator<Uint8Array, void> {
    let broken: string | null = null;
    try {
      const reader = answer.body?.getReader();
      for (;;) {
        const next = await reader?.read();
        if (!next || next.done) break;
        const bytes = reply.take(next.value, performance.now());
        this.#heard(reply.pieces ?? 0);
        if (reply.ended && reply.head !== null) {
          this.#status = reply.head.status;
          this.#end(null, null);
        }
        yield bytes;
      }
      this.#read = true;
      const rest = reply.finish(performance.now());
      if (reply.ended && reply.head !== null) {
        this.#status = reply.head.status;
        this.#end(null, null);
      }
      if (rest.length > 0) yield rest;
      if (!reply.ended) broken = reply.told().error ?? "Ollama ended its answer in the middle";
    } catch (error) {
      if (this.#abort.signal.aborted) {
        if (reply.ended || !(this.#abort.signal.reason instanceof Failure)) return;
        if (reply.head === null) throw this.#abort.signal.reason;
        yield reply.fail(this.#abort.signal.reason);
        return;
      }
      broken = `the connection to Ollama broke in the middle of its answer (${codeOf(error) || messageOf(error)})`;
    }
    if (broken === null || this.#ended) return;
    const failed = await brokenReply(this.#options.engine, this.#run, broken);
    if (reply.head === null) throw failed;
    this.#status = reply.head.status;
    this.#end(failed.code === "engine_crash" ? "engine_crash" : "engine_error", failed.message);
    yield reply.fail(failed);
  }

  /** Pull-based and unbuffered: a slow client holds back its own stream and nothing else. */
  #stream(
    chunks: AsyncGenerator<Uint8Array, void>,
    first: IteratorResult<Uint8Array, void> | null,
  ): ReadableStream<Uint8Array> {
    let pending = first;
    let handedAt: number | null = null;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (handedAt !== null)
            this.#clientWaitMs = (this.#clientWaitMs ?? 0) + performance.now() - handedAt;
          for (;;) {
            const next = pending ?? (await chunks.next());
            pending = null;
            if (next.done) {
              this.#active.remove(this.#id);
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
    this.#dialect = dialect;
    this.#asked = asked;
    this.#cold = this.#options.knownModels.cold(asked.model === null ? null : canonicalModel(asked.model));
    try {
      this.#entry = this.#options.ledger.begin(this.#begun(dialect, asked));
    } catch (error) {
      this.#options.log.error({ id: this.#id, error: messageOf(error) }, "a record could not be begun");
    }
    if (asked.stream) this.#watch = watch(this.#options.limits, (why) => this.#breakOff("timeout", why));
    this.#active.tell(this.#id);
    // A client that left while its body was read.
    if (this.#abort.signal.aborted) this.#end("client_abort", null);
  }

  #refuse(dialect: Dialect, error: unknown): Response {
    if (this.#abort.signal.aborted && !(this.#abort.signal.reason instanceof Failure)) {
      this.#active.remove(this.#id);
      return new Response(null, { status: 499 });
    }
    const known = asFailure(error);
    if (known.code === "internal") {
      this.#options.log.error({ id: this.#id, error: messageOf(error) }, "a request failed inside Corral");
    }
    const response = hangUp(known, dialect.refuse(known));
    this.#status = response.status;
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
    this.#active.remove(this.#id);
    return response;
  }

  /** The client is gone: the engine's connection is closed, which stops its work. */
  #leave(): void {
    this.#active.remove(this.#id);
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

  /** @param pieces of the reply that have come by now */
  #heard(pieces: number): void {
    this.#watch?.heard(pieces > 0);
    if (this.#pieces === 0 && pieces > 0) {
      this.#pieces = pieces;
      this.#active.tell(this.#id);
    }
    this.#pieces = pieces;
  }

  #look(): ActiveRequest | null {
    if (!this.#asked || !this.#dialect) return null;
    const { id, startedAt, model, dialect, operation, stream, clientAddress, userAgent, user } = this.#begun(
      this.#dialect,
      this.#asked,
    );
    const { knownModels } = this.#options;
    const isLoading = knownModels.cold(model) === true;
    // Whoever looks wants to know, and nobody else has a reason to ask while a model loads.
    if (isLoading && this.#pieces === 0) knownModels.lookAtLoaded();
    return {
      ...{ id, startedAt, model, dialect, operation, stream, clientAddress, userAgent, user },
      phase: this.#pieces > 0 ? "generating" : isLoading ? "loading" : "prefill",
      seconds: Math.round(performance.now() - this.#arrivedAt) / 1000,
      pieces: this.#pieces,
    };
  }

  #begun(dialect: Dialect, asked: Asked) {
    const { engine } = this.#options;
    const model = asked.model === null ? null : canonicalModel(asked.model);
    return {
      id: this.#id,
      startedAt: this.#startedAt,
      dialect: dialect.name,
      operation: asked.operation,
      model,
      stream: asked.stream,
      clientAddress: this.#clientAddress,
      userAgent: this.#request.headers.get("user-agent"),
      user: asked.user ?? userOf(this.#request.headers),
      traceparent: traceparentOf(this.#request.headers),
      engineVersion: engine.version,
      engineRun: this.#run,
      inFlight: this.#inFlight,
      modelDigest: this.#options.knownModels.digest(model),
      cold: this.#cold,
    };
  }

  /** Ends the record, once. `outcome` null takes what the reply said. Never throws. */
  #end(outcome: Outcome | null, error: string | null): void {
    if (this.#ended || !this.#dialect || !this.#asked) return;
    this.#ended = true;
    this.#watch?.end();
    try {
      const told = this.#reply?.told() ?? null;
      const ended = outcome ?? told?.outcome ?? "engine_error";
      const asked = this.#asked;
      const begun = this.#begun(this.#dialect, asked);
      this.#entry?.end({
        ...begun,
        outcome: ended,
        upstreamStatus: this.#upstreamStatus,
        contextLength: this.#options.knownModels.contextLength(begun.model),
        httpStatus: ended === "client_abort" && this.#status === null ? null : this.#status,
        latencyMs: exact(performance.now() - this.#arrivedAt),
        ttftMs: told?.firstAt == null ? null : exact(told.firstAt - this.#arrivedAt),
        clientWaitMs: this.#clientWaitMs === null ? null : exact(this.#clientWaitMs),
        longestGapMs: told?.longestGapMs == null ? null : exact(told.longestGapMs),
        tokensIn: told?.tokensIn ?? null,
        tokensOut: told?.tokensOut ?? null,
        tokensCached: told?.tokensCached ?? null,
        loadMs: told?.loadMs ?? null,
        prefillMs: told?.prefillMs ?? null,
        decodeMs: told?.decodeMs ?? null,
        finishReason: told?.finishReason ?? null,
        error: error ?? told?.error ?? null,
        modelKnown: this.#options.knownModels.has(begun.model),
        contents: keepsNothing(this.#request.headers)
          ? null
          : {
              prompt: asked.prompt,
              system: asked.system,
              messages: asked.messages,
              options: asked.options,
              response: told?.text ?? null,
              thinking: told?.thinking ?? null,
              toolCalls: told?.toolCalls ?? null,
            },
      });
    } catch (failed) {
      this.#options.log.error({ id: this.#id, error: messageOf(failed) }, "a record could not be ended");
    }
  }
}

/** Microseconds are as fine as a clock of ours is. */
function exact(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
