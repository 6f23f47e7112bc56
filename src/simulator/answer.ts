/** From the engine's events to an HTTP response, in whatever dialect. */

import { Refusal } from "./body";
import { type Ask, type Event, type Finish, generate } from "./generate";
import { Cut, shape, toStream } from "./stream";
import type { Token } from "./text";
import { Gone } from "./wait";
import type { World } from "./world";

/** A reply that was collected, for `stream: false`. */
type Whole = Token & Finish;

/** How one API writes a reply. Made anew for each request, as it may keep state. */
export type Dialect = {
  streamHeaders: Record<string, string>;
  wholeType: string;
  token(token: Token): string;
  done(finish: Finish): string;
  /** An error after the first byte, when the status can no longer say so. */
  error(message: string): string;
  whole(whole: Whole): string;
};

type Order = { ask: Ask; dialect: Dialect; stream: boolean };

/**
 * Answers an inference request. The headers go out with the first token and not before, as Ollama's do,
 * so that an error before it still has its status.
 * @throws Refusal 500 when the engine fails before the first byte
 */
export async function answer(world: World, order: Order, request: Request): Promise<Response> {
  const { ask, dialect, stream } = order;
  const controller = new AbortController();
  const abandon = () => controller.abort();
  // Both ways of leaving are watched: the stream's cancel is silent before the first byte.
  if (request.signal.aborted) abandon();
  else request.signal.addEventListener("abort", abandon, { once: true });
  const events = generate(world, ask, controller.signal);
  try {
    const first = await events.next();
    if (first.done) throw new Gone();
    if (first.value.type === "instead") {
      await events.return(undefined);
      return first.value.response();
    }
    if (first.value.type === "error") {
      await events.return(undefined);
      throw new Refusal(500, first.value.message);
    }
    const seed = world.settings.seed;
    if (stream) {
      const pieces = shape(streamed(first.value, events, dialect), ask.model.behaviour, seed);
      return new Response(toStream(pieces, abandon), { headers: dialect.streamHeaders });
    }
    const whole = await collect(first.value, events);
    const pieces = shape(collected(whole, dialect), ask.model.behaviour, seed);
    const inPieces = whole === "cut" || ask.model.behaviour.split;
    // Only a body that is not a stream gets a content-length, as Ollama's have.
    const body = inPieces
      ? toStream(pieces, abandon)
      : await Bun.readableStreamToText(toStream(pieces, abandon));
    return new Response(body, { headers: { "content-type": dialect.wholeType } });
  } catch (error) {
    if (error instanceof Gone) throw new Refusal(499, "request canceled");
    throw error;
  }
}

/** One text for each event, pulled from the engine only when the client reads. */
async function* streamed(
  first: Event,
  rest: AsyncGenerator<Event, void>,
  dialect: Dialect,
): AsyncGenerator<string, void> {
  try {
    for (let event: Event | undefined = first; event; event = await nextOf(rest)) {
      if (event.type === "token") yield dialect.token(event.token);
      else if (event.type === "done") yield dialect.done(event.finish);
      else if (event.type === "error") yield dialect.error(event.message);
      else if (event.type === "cut") throw new Cut();
    }
  } finally {
    await rest.return(undefined);
  }
}

async function nextOf(events: AsyncGenerator<Event, void>): Promise<Event | undefined> {
  const next = await events.next();
  return next.done ? undefined : next.value;
}

async function collect(first: Event, rest: AsyncGenerator<Event, void>): Promise<Whole | "cut" | "end"> {
  const whole: Token = { content: "", thinking: "", tools: [] };
  for (let event: Event | undefined = first; event; event = await nextOf(rest)) {
    if (event.type === "token") {
      whole.content += event.token.content;
      whole.thinking += event.token.thinking;
      whole.tools.push(...event.token.tools);
    } else if (event.type === "done") {
      await rest.return(undefined);
      return { ...whole, ...event.finish };
    } else {
      await rest.return(undefined);
      if (event.type === "error") throw new Refusal(500, event.message);
      return event.type === "cut" ? "cut" : "end";
    }
  }
  throw new Gone();
}

async function* collected(whole: Whole | "cut" | "end", dialect: Dialect): AsyncGenerator<string, void> {
  if (whole === "cut") throw new Cut();
  if (whole !== "end") yield dialect.whole(whole);
}
