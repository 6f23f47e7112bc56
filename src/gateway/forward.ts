/** Carries a request to the engine and its answer's head back; the one retry that is allowed is here. */
import { codeOf, isUnreachable } from "../engine/client";
import type { Engine } from "../engine/service";
import { type Failure, failure, messageOf, quote } from "../errors";

/** RFC 9110, 7.6.1, and what older clients send. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** The engine's own Host; no Origin, since ours decide who may call; lengths are the transport's. */
const notForEngine = new Set([...hopByHop, "host", "origin", "content-length", "accept-encoding", "expect"]);

/** A client's headers as the engine gets them. */
export function headersToEngine(headers: Headers): Headers {
  const out = copyHeaders(headers, notForEngine);
  // Else fetch would ask for gzip, and the bytes would not be the engine's.
  out.set("accept-encoding", headers.get("accept-encoding") ?? "identity");
  return out;
}

/** An engine's headers as the client gets them. */
export function headersToClient(headers: Headers): Headers {
  return copyHeaders(headers, hopByHop);
}

function copyHeaders(headers: Headers, without: ReadonlySet<string>): Headers {
  const named = new Set((headers.get("connection") ?? "").toLowerCase().split(/\s*,\s*/));
  const out = new Headers();
  headers.forEach((value, name) => {
    const lower = name.toLowerCase();
    if (!without.has(lower) && !named.has(lower)) out.append(name, value);
  });
  return out;
}

export interface Carried {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  /** A stream can be sent once only; bytes can be sent again. */
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | null;
  readonly signal: AbortSignal;
}

/**
 * Sends a request to the engine.
 * @returns its answer, headers come, body not read
 * @throws Failure 400 for a path that is none, `engine_down` (503), `engine_crash` or `engine_error` (502); the
 *   signal's reason when aborted
 */
export async function forward(engine: Engine, carried: Carried): Promise<Response> {
  // Put behind the address it would name another host: CONNECT lets `x:@elsewhere/../api/tags` through, bare as it is.
  if (!carried.path.startsWith("/")) throw failure.invalid(`${quote(carried.path)} is not a path`);
  // What answers at the address of an engine that is not ready may be a stranger: no prompt, no key goes there.
  if (engine.state !== "ready") throw notReady(engine);
  const run = engine.run;
  const replayable = !(carried.body instanceof ReadableStream);
  try {
    return await send(engine, carried);
  } catch (error) {
    carried.signal.throwIfAborted();
    if (isUnreachable(error)) {
      // Nothing was sent: it may have been between two listens.
      await Bun.sleep(50);
      carried.signal.throwIfAborted();
      if (!replayable || engine.state !== "ready") throw notReady(engine);
    } else {
      const died = await engine.died(run);
      carried.signal.throwIfAborted();
      if (died || !replayable || !isReset(error) || engine.run !== run) throw lost(error, died);
    }
  }
  try {
    return await send(engine, carried);
  } catch (error) {
    carried.signal.throwIfAborted();
    throw isUnreachable(error) ? notReady(engine) : lost(error, await engine.died(run));
  }
}

/** Words for a connection that broke in the middle of a reply. */
export function sayBroken(error: unknown): string {
  return `the connection to Ollama broke in the middle of its answer (${codeOf(error) || messageOf(error)})`;
}

/** What a reply that broke in the middle is called. */
export async function brokenReply(engine: Engine, run: number, why: string): Promise<Failure> {
  return (await engine.died(run))
    ? failure.engineLost("Ollama ended while it answered: it is being started again, try once more")
    : failure.engineAnswer(502, why);
}

function send(engine: Engine, { method, path, headers, body, signal }: Carried): Promise<Response> {
  const init: BunFetchRequestInit = {
    method,
    headers,
    body,
    signal,
    redirect: "manual",
    // Bytes as they are, and no limit of Bun's: models load and think for longer than its 360 s (traps.md).
    decompress: false,
    timeout: false,
  };
  return fetch(engine.address + path, init);
}

function notReady(engine: Engine): Failure {
  return failure.engineDown(engine.why ?? `Ollama at ${engine.address} does not answer`);
}

function lost(error: unknown, died: boolean): Failure {
  return died
    ? failure.engineLost("Ollama ended before it answered: it is being started again, try once more")
    : failure.engineAnswer(
        502,
        `the connection to Ollama broke before it answered (${codeOf(error) || "closed"})`,
      );
}

/** A pooled connection that the engine had closed, most often. */
function isReset(error: unknown): boolean {
  return ["ECONNRESET", "ConnectionClosed", "ConnectionReset"].includes(codeOf(error));
}
