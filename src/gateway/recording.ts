/** The record of one request: begun when its body was read, ended once, never in the way. */
import { canonicalModel } from "../engine/models";
import type { Engine } from "../engine/service";
import { messageOf } from "../errors";
import type { Entry, Ledger } from "../ledger/ledger";
import { type Begun, type Contents, type Outcome, statusOf, type Truncation } from "../ledger/record";
import type { Log } from "../log";
import { keepsNothing, traceparentOf, whoOf } from "./circumstances";
import type { Asked, Dialect, Told } from "./dialects/dialect";
import type { KnownModels } from "./known-models";
import { truncationOf } from "./truncation";

export interface RecordingParts {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly knownModels: KnownModels;
}

/** How a request went, as far as it has gone. */
export interface Course {
  /** What the client was answered. */
  readonly status: number | null;
  /** What the engine answered. */
  readonly upstreamStatus: number | null;
  /** How long pieces waited for the client to take them, ms. */
  readonly clientWaitMs: number | null;
  readonly told: Told | null;
}

export class Recording {
  readonly #parts: RecordingParts;
  readonly #headers: Headers;
  readonly #clientAddress: string | null;
  readonly #startedAt = new Date();
  readonly #inFlight: number;
  readonly id = Bun.randomUUIDv7();
  /** By the monotonic clock. */
  readonly arrivedAt = performance.now();
  /** Of the engine, when the request came. */
  readonly run: number;
  #begun: Begun | null = null;
  #asked: Asked | null = null;
  #entry: Entry | null = null;
  #ended = false;
  #truncated: Truncation | null = null;

  /** @param inFlight requests under way at its arrival */
  constructor(parts: RecordingParts, headers: Headers, clientAddress: string | null, inFlight: number) {
    this.#parts = parts;
    this.#headers = headers;
    this.#clientAddress = clientAddress;
    this.#inFlight = inFlight;
    this.run = parts.engine.run;
  }

  /** What is known of it since it has begun; null before. */
  get begun(): Begun | null {
    return this.#begun;
  }
  get ended(): boolean {
    return this.#ended;
  }

  /** Known when it has ended. */
  get truncated(): Truncation | null {
    return this.#truncated;
  }

  /** Begins it. Never throws. */
  begin(dialect: Dialect, asked: Asked): void {
    const { engine, ledger, log, knownModels } = this.#parts;
    const model = asked.model === null ? null : canonicalModel(asked.model);
    const who = whoOf(this.#headers, this.#clientAddress);
    this.#asked = asked;
    this.#begun = {
      id: this.id,
      startedAt: this.#startedAt,
      dialect: dialect.name,
      operation: asked.operation,
      model,
      stream: asked.stream,
      ...who,
      user: asked.user ?? who.user,
      traceparent: traceparentOf(this.#headers),
      engineVersion: engine.version,
      engineRun: this.run,
      inFlight: this.#inFlight,
      modelDigest: knownModels.digest(model),
      cold: knownModels.cold(model),
    };
    try {
      this.#entry = ledger.begin(this.#begun, keepsNothing(this.#headers) ? null : asked.prompt);
    } catch (error) {
      log.error({ id: this.id, error: messageOf(error) }, "a record could not be begun");
    }
  }

  /** Ends it, once. Never throws. @param outcome null takes what the reply said */
  end(outcome: Outcome | null, error: string | null, course: Course): void {
    const begun = this.#begun;
    const asked = this.#asked;
    if (this.#ended || !begun || !asked) return;
    this.#ended = true;
    const { log, knownModels } = this.#parts;
    const { told, status, upstreamStatus, clientWaitMs } = course;
    try {
      const ended = outcome ?? told?.outcome ?? "engine_error";
      const contextLength = knownModels.contextLength(begun.model);
      const tokensIn = told?.tokensIn ?? null;
      this.#truncated = statusOf(ended) === "success" ? truncationOf(asked, tokensIn, contextLength) : null;
      this.#entry?.end({
        ...begun,
        outcome: ended,
        upstreamStatus,
        contextLength,
        truncated: this.#truncated,
        httpStatus: ended === "client_abort" && status === null ? null : status,
        latencyMs: exact(performance.now() - this.arrivedAt),
        ttftMs: told?.firstAt == null ? null : exact(told.firstAt - this.arrivedAt),
        longestGapMs: told?.longestGapMs == null ? null : exact(told.longestGapMs),
        clientWaitMs: clientWaitMs === null ? null : exact(clientWaitMs),
        tokensIn,
        tokensOut: told?.tokensOut ?? null,
        tokensCached: told?.tokensCached ?? null,
        loadMs: told?.loadMs ?? null,
        prefillMs: told?.prefillMs ?? null,
        decodeMs: told?.decodeMs ?? null,
        finishReason: told?.finishReason ?? null,
        error: error ?? told?.error ?? null,
        modelKnown: knownModels.has(begun.model),
        contents: keepsNothing(this.#headers) ? null : contentsOf(asked, told),
      });
    } catch (failed) {
      log.error({ id: this.id, error: messageOf(failed) }, "a record could not be ended");
    }
  }
}

function contentsOf({ prompt, system, messages, options }: Asked, told: Told | null): Contents {
  return {
    ...{ prompt, system, messages, options },
    response: told?.text ?? null,
    thinking: told?.thinking ?? null,
    toolCalls: told?.toolCalls ?? null,
  };
}

/** Microseconds are as fine as a clock of ours is. */
function exact(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
