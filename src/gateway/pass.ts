/** A request to a path of Ollama's that is no inference: through, as it is. What it does to models is put on record. */
import type { Answer } from "../engine/http/exchange";
import { asFailure, type Failure, failure, messageOf } from "../errors";
import type { Ledger } from "../ledger/ledger";
import type { Log } from "../log";
import type { Active } from "./active";
import { hangUp, passedBody } from "./body";
import { refuseAnthropic } from "./dialects/anthropic/errors";
import { refuseNative } from "./dialects/ollama/native";
import { brokenReply, forward, headersToClient, sayBroken, type Upstream } from "./forward";
import { actionOf, Management } from "./management";

export interface PassOptions extends Upstream {
  readonly active: Active;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly clientAddress: string | null;
  readonly stopping: boolean;
  readonly over: () => void;
}

const MOST_HELD_BYTES = 1_000_000;
/** How long the last bytes that were handed to Bun may take to leave it: closed at once, a connection drops them. */
export const LAST_BYTES_MS = 50;

/** Carries a request to the engine and its answer back, both unaltered. Never throws. */
export async function pass(
  request: Request,
  { active, ledger, log, clientAddress, stopping, over: idle, ...upstream }: PassOptions,
): Promise<Response> {
  const { engine } = upstream;
  const url = new URL(request.url, "http://localhost");
  const action = stopping ? null : actionOf(request.method, url.pathname);
  const record =
    action && new Management(action, request, url.pathname, { put: ledger.event, log, clientAddress });
  const run = engine.run;
  const abort = new AbortController();
  const leave = () => {
    record?.end("client_abort", null);
    abort.abort();
  };
  const stop = () => {
    const why = failure.stopping();
    record?.failed(why);
    abort.abort(why);
  };
  const running = { id: Bun.randomUUIDv7(), stop, over: idle };
  // Both this signal and the stream's cancel are needed to see a client leave (traps.md).
  request.signal.addEventListener("abort", leave, { once: true });
  active.add(running);
  const over = () => active.remove(running.id);
  try {
    // Refused at the door, and on no record.
    if (stopping) throw failure.stopping();
    const answer = await forward(upstream, {
      method: request.method,
      path: url.pathname + url.search,
      headers: request.headers,
      mustRead: record !== null,
      body:
        request.body &&
        passedBody(
          request.body,
          (why) => abort.abort(why),
          undefined,
          (piece) => record?.sent(piece),
        ),
      signal: abort.signal,
    });
    record?.answered(answer.status);
    const head = { status: answer.status, headers: headersToClient(answer.fields) };
    const length = head.headers.get("content-length");
    if (!answer.hasEnded && (length === null || Number(length) > MOST_HELD_BYTES))
      return new Response(
        passed(answer, {
          leave,
          over,
          take: (chunk) => record?.take(chunk),
          finish: () => record?.finish(),
          broken: (error) => record?.lost(brokenReply(engine, run, sayBroken(error))),
        }),
        head,
      );
    // Bun drops the length of what is streamed, and a client may want to know it.
    const bytes = await readAll(answer);
    if (bytes) record?.take(bytes);
    record?.finish();
    over();
    return new Response(bytes, head);
  } catch (error) {
    over();
    if (request.signal.aborted) {
      leave();
      return new Response(null, { status: 499 });
    }
    const known = asFailure(error);
    record?.failed(known);
    if (known.code === "internal")
      log.error({ path: url.pathname, error: messageOf(error) }, "pass-through failed");
    return hangUp(known, refusePassed(url.pathname, known));
  }
}

/** The whole body of an answer; null where there is none. */
async function readAll(answer: Answer): Promise<Uint8Array<ArrayBuffer> | null> {
  const pieces: Uint8Array[] = [];
  for (let piece = await answer.read(); piece !== null; piece = await answer.read()) pieces.push(piece);
  return pieces.length === 0 ? null : Buffer.concat(pieces);
}

interface Passing {
  /** The client is gone. */
  leave(): void;
  /** It is over, whichever way. */
  over(): void;
  /** A piece is about to go on. */
  take(chunk: Uint8Array): void;
  /** The engine's bytes have come to their end. */
  finish(): void;
  /** They broke off. */
  broken(error: unknown): void;
}

/** The engine's bytes as they come. Where they break off, so does the client's connection: that is what it would have seen. */
function passed(answer: Answer, { leave, over, take, finish, broken }: Passing): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const piece = await answer.read();
          if (piece !== null) {
            take(piece);
            return controller.enqueue(piece);
          }
          finish();
          controller.close();
        } catch (error) {
          broken(error);
          await Bun.sleep(LAST_BYTES_MS);
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
  if (/^\/v1\/messages(\/|$)/.test(path)) return refuseAnthropic(known);
  if (path.startsWith("/v1/"))
    return Response.json({ error: { message, type: "api_error", param: null, code } }, { status });
  return refuseNative(known);
}
