/**
 * The models that the engine is known to have: installed ones, and those that it has answered for. Metrics are kept by
 * model, and a name that a client made up must not become one: whoever sends random names would grow them without bound.
 */
import type { EngineClient } from "../engine/client";
import { canonicalModel } from "../engine/models";
import { messageOf } from "../errors";
import type { Log } from "../log";

/** More than anybody installs. */
const MOST = 10_000;

export class KnownModels {
  readonly #names = new Set<string>();

  has(name: string | null): boolean {
    return name !== null && this.#names.has(name);
  }

  /** Notes what an engine's answer says of a model: there (it answered), not there (404), or nothing. */
  learn(name: string | null, engineStatus: number): void {
    if (name === null) return;
    if (engineStatus === 404) this.#names.delete(name);
    else if (engineStatus < 400 && this.#names.size < MOST) this.#names.add(name);
  }

  /** Asks what is installed: an engine that came up. */
  async read(client: EngineClient, log: Log): Promise<void> {
    try {
      for (const model of await client.models()) this.learn(canonicalModel(model.name), 200);
    } catch (error) {
      log.debug({ error: messageOf(error) }, "the installed models can't be read");
    }
  }
}
