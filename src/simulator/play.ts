/** Plays a row of things in simulated time, with the faults that a model's name asks for on the way. */
import type { Behaviour } from "./behaviour";
import { Gone, wait } from "./wait";
import type { World } from "./world";

/** One thing, or the fault that ends the row. */
export type Step<Item> =
  | { type: "item"; item: Item }
  /** An error is told and nothing was finished. */
  | { type: "error" }
  /** The body ends properly, though nothing was finished. */
  | { type: "end" }
  /** The socket is closed in the middle of the body. */
  | { type: "cut" };

const flushMs = 10;

/** Gives each item after its delay. @throws Gone */
export async function* play<Item>(
  world: World,
  behaviour: Behaviour,
  items: readonly Item[],
  delayMs: number,
  signal: AbortSignal,
): AsyncGenerator<Step<Item>, void> {
  for (let sent = 0; ; sent++) {
    if (behaviour.crash === sent) await world.crash();
    if (behaviour.error === sent) return yield { type: "error" };
    if (behaviour.cut === sent) {
      // Closing at once would throw away what the kernel has not sent yet.
      await wait(signal, flushMs);
      return yield { type: "cut" };
    }
    if (behaviour.end === sent) return yield { type: "end" };
    const item = items[sent];
    if (item === undefined) return;
    if (delayMs > 0) await wait(signal, delayMs);
    if (signal.aborted) throw new Gone();
    yield { type: "item", item };
  }
}

/**
 * Counts work as active until it ends, and as aborted, with Ollama's line in the log, when its reader
 * leaves before an event that is the last.
 */
export async function* attended<Event>(
  world: World,
  events: AsyncGenerator<Event, void>,
  isLast: (event: Event) => boolean,
  abortion: string,
): AsyncGenerator<Event, void> {
  const end = world.arrivals.begin();
  let finished = false;
  try {
    for await (const event of events) {
      finished = isLast(event);
      yield event;
    }
    finished = true;
  } catch (error) {
    finished = !(error instanceof Gone);
    throw error;
  } finally {
    if (!finished) world.log("INFO", "llama_server.go:1538", abortion);
    end(finished ? "finished" : "aborted");
  }
}
