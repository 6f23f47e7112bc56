/** A request to a path of Ollama's that is not recorded: through, as it is. */
import type { Engine } from "../engine/service";
import { asFailure, type Failure, failure, messageOf } from "../errors";
import type { Log } from "../log";
import type { Active } from "./active";
import { hangUp, passedBody } from "./body";
import { forward, headersToClient, headersToEngine } from "./forward";

export interface PassOptions {
  readonly engine: Engine;
  readonly active: Active;
  readonly log: Log;
  readonly stopping: boolean;
  readonly over: () => void;
}

const MOST_HELD_BYTES = 1_000_000;

/** Carries a request to the engine and its answer back, both unread. Never throws. */
export async function pass(
  request: Request,
  { engine, active, log, stopping, over: idle }: PassOptions,
): Promise<Response> {
  const url = new URL(request.url, "http://localhost");
  const abort = new AbortController();
  const running = { id: Bun.randomUUIDv7(), stop: () => abort.abort(failure.stopping()), over: idle };
  // Both this signal and the stream's cancel are needed to see a client leave (traps.md).
  request.signal.addEventListener("abort", () => abort.abort(), { once: true });
  active.add(running);
  const over = () => active.remove(running.id);
  try {
    if (stopping) throw failure.stopping();
    const answer = await forward(engine, {
      method: request.method,
      path: url.pathname + url.search,
      headers: headersToEngine(request.headers),
      body: request.body && passedBody(request.body, (why) => abort.abort(why)),
      signal: abort.signal,
    });
    const head = { status: answer.status, headers: headersToClient(answer.headers) };
    const length = answer.headers.get("content-length");
    if (answer.body && (length === null || Number(length) > MOST_HELD_BYTES))
      return new Response(
        passed(answer.body, () => abort.abort(), over),
        head,
      );
    // Bun drops the length of what is streamed, and a client may want to know it.
    const bytes = answer.body ? await answer.bytes() : null;
    over();
    return new Response(bytes, head);
  } catch (error) {
    over();
    if (request.signal.aborted) return new Response(null, { status: 499 });
    const known = asFailure(error);
    if (known.code === "internal")
      log.error({ path: url.pathname, error: messageOf(error) }, "pass-through failed");
    return hangUp(known, refusePassed(url.pathname, known));
  }
}

/** The engine's bytes as they come. Where they break off, so does the client's connection: that is what it would have seen. */
function passed(
  body: ReadableStream<Uint8Array>,
  leave: () => void,
  over: () => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const next = await reader.read();
          if (!next.done) return controller.enqueue(next.value);
          controller.close();
        } catch {
          // Without a reason: Bun 1.4.4 prints one with its stack.
          controller.error();
        }
        over();
      },
      cancel: () => {
        over();
        leave();
      },
    },
    { highWaterMark: 0 },
  );
}

/** An error in the words of the API that the engine's path belongs to. */
export function refusePassed(path: string, known: Failure): Response {
  const { status, code, message } = known;
  if (path === "/v1/messages")
    return Response.json({ type: "error", error: { type: "api_error", message } }, { status });
  if (path.startsWith("/v1/"))
    return Response.json({ error: { message, type: "api_error", param: null, code } }, { status });
  return Response.json({ error: message }, { status });
}
