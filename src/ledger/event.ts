/** The one list of what is kept of a change to the models or the engine, and how such work is put on record. */
import { asFailure, type Failure } from "../errors";
import type { Outcome } from "./record";

export const eventActions = ["pull", "push", "create", "copy", "delete", "restart"] as const;
/** `restart` is the engine's, on somebody's request. */
export type EventAction = (typeof eventActions)[number];

/** What was asked, by whom, and which way it came. */
export interface EventBegun {
  readonly action: EventAction;
  /** Canonical name of what is changed; null where none was named, and for the engine. */
  readonly model: string | null;
  /** What a copy or a new model is made from. */
  readonly source: string | null;
  /** Whether a registry without TLS was allowed; null for what asks no registry. */
  readonly insecure: boolean | null;
  readonly path: string;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
  readonly user: string | null;
}

export interface ModelEvent extends EventBegun {
  /** UUIDv7, of the moment it began: events are listed by it. */
  readonly id: string;
  readonly at: Date;
  readonly outcome: Outcome;
  readonly error: string | null;
  /** Of the layers that were done, those that were there already included; null where nobody told. */
  readonly bytes: number | null;
  readonly durationMs: number;
}

/** How what failed so is said to have ended. */
export function outcomeOf({ code, status }: Failure): Outcome {
  if (code === "engine_crash" || code === "server_stop" || code === "canceled") return code;
  // Ollama refused it, or is away: nothing was done.
  return status < 500 || code === "engine_down" ? "rejected" : "engine_error";
}

/**
 * Does work and puts it on record, however it ends.
 * @throws what the work throws
 */
export async function onRecord<T>(
  put: (event: ModelEvent) => void,
  begun: EventBegun,
  work: () => Promise<T>,
): Promise<T> {
  const id = Bun.randomUUIDv7();
  const at = new Date();
  const startedAt = performance.now();
  const end = (outcome: Outcome, error: string | null) =>
    put({ ...begun, id, at, outcome, error, bytes: null, durationMs: performance.now() - startedAt });
  try {
    const done = await work();
    end("complete", null);
    return done;
  } catch (error) {
    const known = asFailure(error);
    end(outcomeOf(known), known.message);
    throw error;
  }
}
