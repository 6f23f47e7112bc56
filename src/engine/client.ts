/** Corral's own questions to Ollama. A client's requests never go this way: they are the gateway's. */
import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { failure, messageOf } from "../errors";
import {
  errorSchema,
  type LoadedModel,
  loadedSchema,
  type Model,
  type Progress,
  parseJson,
  progressSchema,
  tagsSchema,
  versionSchema,
} from "./wire";

export interface EngineClientOptions {
  /** Base URL; asked each time, since it may change with the engine. */
  readonly address: () => string;
  readonly timeoutMs: number;
  /** Why nothing may be asked now, or null: what answers at the address may be a stranger. */
  readonly unready: () => string | null;
  /** How often a question is asked again when no connection can be had. */
  readonly retries: number;
}

export interface EngineClient {
  version(): Promise<string>;
  /** The installed models. */
  models(): Promise<Model[]>;
  /** The loaded models. */
  loaded(): Promise<LoadedModel[]>;
  /** @throws Failure `model_not_found` */
  remove(model: string): Promise<void>;
  /** Progress of a pull, until it ends. @throws Failure when it can't begin or breaks off */
  pull(model: string, insecure: boolean, signal: AbortSignal): AsyncGenerator<Progress>;
}

export function createEngineClient(options: EngineClientOptions): EngineClient {
  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      const unready = options.unready();
      if (unready !== null) throw failure.engineDown(unready);
      try {
        return await fetch(options.address() + path, {
          ...init,
          redirect: "manual",
          signal: init.signal ?? AbortSignal.timeout(options.timeoutMs),
        });
      } catch (error) {
        if (init.signal?.aborted) throw error;
        if (attempt >= options.retries || !isUnreachable(error)) {
          throw failure.engineDown(`Ollama at ${options.address()} does not answer (${messageOf(error)})`);
        }
        await Bun.sleep(100 * 2 ** attempt);
      }
    }
  }

  async function read<T extends TSchema>(response: Response, schema: T): Promise<Static<T>> {
    const body: unknown = await response.json().catch(() => undefined);
    if (!response.ok) {
      const words = Value.Check(errorSchema, body) ? body.error : `status ${response.status}`;
      throw failure.engineAnswer(response.status >= 500 ? 502 : response.status, words);
    }
    if (!Value.Check(schema, body)) {
      throw failure.engineAnswer(
        502,
        "Ollama's answer is not what its API says: is it Ollama that answers there?",
      );
    }
    return body;
  }

  return {
    version: async () => (await read(await ask("/api/version"), versionSchema)).version,
    models: async () => (await read(await ask("/api/tags"), tagsSchema)).models ?? [],
    loaded: async () => (await read(await ask("/api/ps"), loadedSchema)).models ?? [],
    remove: async (model) => {
      const response = await ask("/api/delete", { method: "DELETE", body: JSON.stringify({ model }) });
      if (response.status === 404) throw failure.modelNotFound(model, `model '${model}' is not installed`);
      if (!response.ok) await read(response, errorSchema);
      else await response.body?.cancel();
    },
    pull: async function* (model, insecure, signal) {
      const body = JSON.stringify({ model, stream: true, ...(insecure ? { insecure } : {}) });
      // Bun's fetch gives up after 360 s of silence, which a large layer's check can take.
      const response = await ask("/api/pull", {
        method: "POST",
        body,
        signal,
        timeout: false,
      } as BunFetchRequestInit);
      if (!response.ok) await read(response, progressSchema);
      for await (const line of lines(response)) {
        const progress: unknown = parseJson(line);
        if (Value.Check(progressSchema, progress)) yield progress;
      }
    },
  };
}

/** The lines of a reply, each without its end. */
async function* lines(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  if (!response.body) return;
  for await (const chunk of response.body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part.trim()) yield part;
  }
  rest += decoder.decode();
  if (rest.trim()) yield rest;
}

/** Whether nothing was sent: no connection could be had at all. */
export function isUnreachable(error: unknown): boolean {
  return codeOf(error) === "ConnectionRefused" || codeOf(error) === "ECONNREFUSED";
}

/** The code that Bun or the system gave an error, or "". */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
