/** A client's request for the engine: carried, and recorded where its path is one of inference. */

import { Connections } from "../engine/http/connections";
import type { Engine } from "../engine/service";
import type { Ledger } from "../ledger/ledger";
import type { Log } from "../log";
import { Active } from "./active";
import { KnownModels } from "./known-models";
import type { Limits } from "./limits";
import { LAST_BYTES_MS, pass } from "./pass";
import { Passage } from "./passage";
import type { Place } from "./paths";

export interface GatewayOptions {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly limits: Limits;
}

/** How long clients may take to read the error that ends their streams. */
const ENDING_MS = 500;

type EnginePlace = Extract<Place, { owner: "engine" }>;

export class Gateway {
  readonly #options: GatewayOptions;
  readonly active = new Active();
  readonly knownModels: KnownModels;
  readonly #connections = new Connections();
  #stopping = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.knownModels = new KnownModels(options.engine.client, options.log);
  }

  /** Answers a request for the engine. Never throws. */
  async handle(
    request: Request,
    place: EnginePlace,
    clientAddress: string | null,
    over: () => void,
  ): Promise<Response> {
    const parts = {
      ...this.#options,
      active: this.active,
      connections: this.#connections,
      knownModels: this.knownModels,
      stopping: this.#stopping,
      over,
    };
    if (place.kind === "pass") return pass(request, { ...parts, clientAddress });
    return new Passage(parts, request, clientAddress).answer(place.dialects);
  }

  /** No new requests; what runs may go on for `drainMs`, then it is ended with an error in its dialect. */
  async stop(drainMs: number, hurry: Promise<void>): Promise<void> {
    this.#stopping = true;
    await Promise.race([this.active.idle(), Bun.sleep(drainMs), hurry]);
    this.active.stopAll();
    await Promise.race([this.active.idle(), Bun.sleep(ENDING_MS)]);
    // The last bytes are Bun's by now, and would be lost with their connection if it were closed at once.
    await Bun.sleep(LAST_BYTES_MS);
    this.#connections.close();
  }
}
