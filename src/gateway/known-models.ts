/**
 * The models of the engine: installed ones, those that it has answered for, and those that are loaded. Metrics are kept
 * by model, and a name that a client made up must not become one: whoever sends random names would grow them without
 * bound.
 */
import type { EngineClient } from "../engine/client";
import { canonicalModel, fullDigest } from "../engine/models";
import { messageOf } from "../errors";
import type { Log } from "../log";

/** More than anybody installs. */
const MOST = 10_000;

interface Loaded {
  readonly contextLength: number | null;
  /** The context that the last request asked for; null for the default. Another one loads the model again. */
  readonly contextAsked: number | null;
  /** When the engine lets it go, ms since the epoch; it is asked again then. */
  readonly until: number;
}

export class KnownModels {
  readonly #client: EngineClient;
  readonly #log: Log;
  readonly #names = new Set<string>();
  #digests = new Map<string, string>();
  /** null until the engine has said it once. */
  #loaded: Map<string, Loaded> | null = null;
  #asking: Promise<void> | null = null;
  #askAgain = false;

  constructor(client: EngineClient, log: Log) {
    this.#client = client;
    this.#log = log;
  }

  has(name: string | null): boolean {
    return name !== null && this.#names.has(name);
  }

  /** Of an installed model, "sha256:..."; null where it is not known. */
  digest(name: string | null): string | null {
    return name === null ? null : (this.#digests.get(name) ?? null);
  }

  /** Whether a model would have to be loaded now, as far as is known. */
  cold(name: string | null): boolean | null {
    return name === null || this.#loaded === null ? null : this.#isLoaded(name) === null;
  }

  /** Tokens of context that a loaded model has; null where that is not known. */
  contextLength(name: string | null): number | null {
    return name === null ? null : (this.#isLoaded(name)?.contextLength ?? null);
  }

  /** The models that are loaded, as far as is known. */
  loadedNames(): string[] {
    return [...(this.#loaded?.keys() ?? [])].filter((name) => this.#isLoaded(name) !== null);
  }

  /**
   * Notes what an engine's answer says of a model: there (it answered), not there (404), or nothing.
   * @param contextAsked tokens of context that the request asked for; null for the default
   */
  learn(name: string | null, engineStatus: number, contextAsked: number | null): void {
    if (name === null) return;
    if (engineStatus === 404) this.#names.delete(name);
    if (engineStatus >= 400) return;
    if (this.#names.size < MOST) this.#names.add(name);
    const loaded = this.#isLoaded(name);
    if (loaded !== null && loaded.contextAsked === contextAsked) return;
    this.#loaded?.set(name, {
      until: Number.POSITIVE_INFINITY,
      ...loaded,
      contextLength: null,
      contextAsked,
    });
    // It answers, so it is loaded: how, only the engine knows. Asked on such hints alone, since nobody needs it else.
    this.lookAtLoaded();
  }

  /** Asks what is installed and loaded: an engine that came up. */
  async read(): Promise<void> {
    this.#loaded = null;
    this.lookAtLoaded();
    try {
      const digests = new Map<string, string>();
      for (const model of await this.#client.models()) {
        const name = canonicalModel(model.name);
        if (this.#names.size < MOST) this.#names.add(name);
        if (model.digest) digests.set(name, fullDigest(model.digest));
      }
      this.#digests = digests;
    } catch (error) {
      this.#log.debug({ error: messageOf(error) }, "the installed models can't be read");
    }
  }

  /** Asks what is loaded now; once at a time, and once more where it may have changed meanwhile. */
  lookAtLoaded(): void {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = this.#client
      .loaded()
      .then(
        (models) => {
          this.#loaded = new Map(
            models.map((model) => [
              canonicalModel(model.name),
              {
                contextLength: model.context_length ?? null,
                contextAsked: this.#loaded?.get(canonicalModel(model.name))?.contextAsked ?? null,
                until: untilOf(model.expires_at),
              },
            ]),
          );
        },
        (error) => this.#log.debug({ error: messageOf(error) }, "the loaded models can't be read"),
      )
      .finally(() => {
        this.#asking = null;
        if (!this.#askAgain) return;
        this.#askAgain = false;
        this.lookAtLoaded();
      });
  }

  #isLoaded(name: string): Loaded | null {
    const loaded = this.#loaded?.get(name);
    return loaded && loaded.until > Date.now() ? loaded : null;
  }
}

/** A time that can't be read is no end. */
function untilOf(time: string | undefined): number {
  const at = Date.parse(time ?? "");
  return Number.isNaN(at) ? Number.POSITIVE_INFINITY : at;
}
