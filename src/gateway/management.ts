/**
 * Work on models through Ollama's own paths: what was asked and how it ended, read from the bytes as they pass. They
 * are neither altered nor held up, and nothing here is in their way.
 */

import { Value } from "@sinclair/typebox/value";
import { type ParseError, parse } from "jsonc-parser";
import { Layers } from "../engine/layers";
import { canonicalModel } from "../engine/models";
import { parseJson, progressSchema } from "../engine/wire";
import { asFailure, type Failure, messageOf } from "../errors";
import { type EventAction, type EventBegun, type ModelEvent, outcomeOf } from "../ledger/event";
import type { Outcome } from "../ledger/record";
import type { Log } from "../log";
import { whoOf } from "./circumstances";
import { createLines } from "./dialects/lines";

/** Beyond this nobody writes a model's name: what comes of the body later is not kept. */
const MOST_BODY_BYTES = 256_000;
/** Of an error's words. */
const LONGEST_ERROR = 500;

/** To the letter, decoded as Ollama's router does it: other spellings it redirects or does not know. */
const actions = new Map<string, EventAction>([
  ["POST /api/pull", "pull"],
  ["POST /api/push", "push"],
  ["POST /api/create", "create"],
  ["POST /api/copy", "copy"],
  ["DELETE /api/delete", "delete"],
]);
/** These end with a line that says so. */
const telling: readonly EventAction[] = ["pull", "push", "create"];

/** What a request to a path of Ollama's does to its models; null for nothing. */
export function actionOf(method: string, pathname: string): EventAction | null {
  try {
    return actions.get(`${method} ${decodeURIComponent(pathname)}`) ?? null;
  } catch {
    return null;
  }
}

export interface ManagementParts {
  readonly put: (event: ModelEvent) => void;
  readonly log: Log;
  readonly clientAddress: string | null;
}

/** One such request, from its arrival to its end. */
export class Management {
  readonly #parts: ManagementParts;
  readonly #action: EventAction;
  readonly #request: Request;
  readonly #path: string;
  readonly #id = Bun.randomUUIDv7();
  readonly #at = new Date();
  readonly #arrivedAt = performance.now();
  readonly #body: Uint8Array[] = [];
  #bodyBytes = 0;
  readonly #lines = createLines();
  readonly #layers = new Layers();
  #status = 200;
  #error: string | null = null;
  #ended = false;

  constructor(action: EventAction, request: Request, path: string, parts: ManagementParts) {
    this.#action = action;
    this.#request = request;
    this.#path = path;
    this.#parts = parts;
  }

  /** A piece of the request's body has passed. */
  sent(chunk: Uint8Array): void {
    const room = MOST_BODY_BYTES - this.#bodyBytes;
    if (room <= 0) return;
    // A copy: what was handed on may be written over.
    const kept = chunk.slice(0, room);
    this.#body.push(kept);
    this.#bodyBytes += kept.length;
  }

  /** Ollama has answered, as far as its status. */
  answered(status: number): void {
    this.#status = status;
  }

  /** A piece of the reply is about to pass. */
  take(chunk: Uint8Array): void {
    this.#quietly(() => {
      if (!this.#ended) for (const line of this.#lines.take(chunk)) this.#read(line);
    });
  }

  /** The reply is over. */
  finish(): void {
    this.#quietly(() => {
      const rest = this.#ended ? "" : this.#lines.rest();
      if (rest !== "") this.#read(rest);
      if (this.#status >= 300) {
        const words = this.#error ?? `Ollama answered with status ${this.#status}`;
        this.end(this.#status < 500 ? "rejected" : "engine_error", words);
      } else if (telling.includes(this.#action)) {
        this.end("engine_error", "Ollama broke off before it was complete");
      } else this.end("complete", null);
    });
  }

  failed(why: Failure): void {
    this.end(outcomeOf(why), why.message);
  }

  /** The reply broke; what broke it is known in a moment, and what happens until then is not the cause. */
  lost(why: Promise<Failure>): void {
    if (this.#ended) return;
    this.#ended = true;
    why.catch(asFailure).then((failure) => this.#put(outcomeOf(failure), failure.message));
  }

  /** Puts it on record, once. */
  end(outcome: Outcome, error: string | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#put(outcome, error);
  }

  #read(line: string): void {
    const progress = parseJson(line);
    if (!Value.Check(progressSchema, progress)) return;
    if (progress.error !== undefined) {
      this.#error = progress.error.slice(0, LONGEST_ERROR);
      if (this.#status < 300) this.end("engine_error", this.#error);
    } else if (progress.status === "success") {
      this.#layers.finish();
      if (this.#status < 300) this.end("complete", null);
    } else this.#layers.take(progress, performance.now());
  }

  #put(outcome: Outcome, error: string | null): void {
    this.#quietly(() =>
      this.#parts.put({
        ...this.#begun(),
        id: this.#id,
        at: this.#at,
        outcome,
        error,
        bytes: this.#layers.completed,
        durationMs: performance.now() - this.#arrivedAt,
      }),
    );
  }

  #begun(): EventBegun {
    const asked = fieldsOf(Buffer.concat(this.#body));
    const isCopy = this.#action === "copy";
    const model = isCopy ? textOf(asked.destination) : (textOf(asked.model) ?? textOf(asked.name));
    const source = isCopy ? textOf(asked.source) : this.#action === "create" ? textOf(asked.from) : null;
    const asksRegistry = this.#action === "pull" || this.#action === "push";
    return {
      action: this.#action,
      model: model && canonicalModel(model),
      source: source && canonicalModel(source),
      insecure: asksRegistry ? asked.insecure === true : null,
      path: this.#path,
      ...whoOf(this.#request.headers, this.#parts.clientAddress),
    };
  }

  #quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#parts.log.error(
        { action: this.#action, error: messageOf(error) },
        "work on a model passes, and can't be put on record",
      );
    }
  }
}

/**
 * The fields of a body, as far as it can be read: one that was cut short tells what came before. By names in lower
 * case, since Ollama takes them in any.
 */
function fieldsOf(body: Uint8Array): Record<string, unknown> {
  const text = new TextDecoder().decode(body);
  const errors: ParseError[] = [];
  const found: unknown = parseJson(text) ?? parse(text, errors);
  if (typeof found !== "object" || found === null || Array.isArray(found)) return {};
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(found)) if (value !== null) fields[name.toLowerCase()] = value;
  return fields;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
