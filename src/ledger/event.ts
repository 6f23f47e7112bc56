/** The one list of what is kept of a change to the models or the engine, and how such work is put on record. */
import { type Static, Type } from "@sinclair/typebox";
import { asFailure, type Failure } from "../errors";
import { type Outcome, outcomeSchema } from "./record";

export const eventActions = ["pull", "push", "create", "copy", "delete", "restart"] as const;
/** `restart` is the engine's, on somebody's request. */
export type EventAction = (typeof eventActions)[number];

const text = Type.Union([Type.String(), Type.Null()]);

/** What was asked, by whom, and which way it came. */
export type EventBegun = Readonly<Static<typeof eventBegunSchema>>;
const eventBegunSchema = Type.Object({
  action: Type.Unsafe<EventAction>(Type.Union(eventActions.map((action) => Type.Literal(action)))),
  /** Canonical name of what is changed; null where none was named, and for the engine. */
  model: text,
  /** What a copy or a new model is made from. */
  source: text,
  /** Whether a registry without TLS was allowed; null for what asks no registry. */
  insecure: Type.Union([Type.Boolean(), Type.Null()]),
  path: Type.String(),
  clientAddress: text,
  userAgent: text,
  user: text,
});

export type ModelEvent = Readonly<Static<typeof eventSchema>>;
export const eventSchema = Type.Object({
  ...eventBegunSchema.properties,
  /** UUIDv7, of the moment it began: events are listed by it. */
  id: Type.String(),
  at: Type.Date(),
  outcome: outcomeSchema,
  error: text,
  /** Of the layers that were done, those that were there already included; null where nobody told. */
  bytes: Type.Union([Type.Number(), Type.Null()]),
  durationMs: Type.Number(),
});

/** All that an audit needs of one that can't be stored: for the log, without texts. */
export function auditOf({ id, action, model, outcome, clientAddress, user, at }: ModelEvent): object {
  return { id, action, model, outcome, client: clientAddress, user, at: at.toISOString() };
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
