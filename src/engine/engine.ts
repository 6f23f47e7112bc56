/** The engine as the rest of the program has it: its state, and what can be asked of it. */
import type { EngineClient } from "./client";

export type EngineState = "missing" | "starting" | "ready" | "down";

/** What the gateway and the API need of the engine. */
export interface Engine {
  readonly address: string;
  /** Whether Corral started it. One that somebody else runs is used, never stopped. */
  readonly owned: boolean;
  readonly why: string | null;
  readonly state: EngineState;
  /** Grows with each start. */
  readonly run: number;
  readonly pid: number | null;
  readonly restarts: number;
  readonly version: string | null;
  /** For Corral's own questions. */
  readonly client: EngineClient;
  /** Waits until it is ready. @throws the signal's reason */
  ready(signal: AbortSignal): Promise<void>;
  /** Whether the engine's process of that run is dead. Waits a moment, since a stream can break before the exit is seen. */
  died(run: number): Promise<boolean>;
  restart(why: string): Promise<void>;
}
