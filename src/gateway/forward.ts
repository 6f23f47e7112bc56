/** Carries a request to the engine and its answer's head back; the one retry that is allowed is here. */
import { codeOf } from "../engine/client";
import { type Field, fieldOf, NotHttp } from "../engine/http/answer-reader";
import { type Connections, NoConnection } from "../engine/http/connections";
import { type Answer, ConnectionLost } from "../engine/http/exchange";
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
const notForEngine = new Set([...hopByHop, "host", "origin", "content-length", "expect"]);

/** A client's header as the engine gets it: lines, each with its end. */
function headerToEngine(headers: Headers, mustRead: boolean): string {
  const named = namedIn(headers.get("connection"));
  let lines = "";
  headers.forEach((value, name) => {
    if (notForEngine.has(name) || named?.has(name) || (mustRead && name === "accept-encoding")) return;
    lines += `${name}: ${value}\r\n`;
  });
  // What is read here must be readable: an engine behind another proxy may compress.
  return mustRead ? `${lines}accept-encoding: identity\r\n` : lines;
}

/** An engine's header as the client gets it. */
export function headersToClient(fields: readonly Field[]): Headers {
  const named = namedIn(fieldOf(fields, "connection"));
  const out = new Headers();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (!hopByHop.has(lower) && !named?.has(lower)) out.append(name, value);
  }
  return out;
}

/** The fields that a Connection field says are for this connection alone. */
function namedIn(connection: string | null): ReadonlySet<string> | null {
  return connection === null ? null : new Set(connection.toLowerCase().split(/\s*,\s*/));
}

export interface Carried {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** The client's own. */
  readonly headers: Headers;
  /** Whether the answer is read here too: then it must not come compressed. */
  readonly mustRead: boolean;
  /** A stream can be sent once only; bytes can be sent again. */
  readonly body: Uint8Array | ReadableStream<Uint8Array> | null;
  readonly signal: AbortSignal;
}

/** What the gateway needs to reach the engine. */
export interface Upstream {
  readonly engine: Engine;
  readonly connections: Connections;
}

/**
 * Sends a request to the engine.
 * @returns its answer, headers come, body not read
 * @throws Failure 400 for a path that is none, `engine_down` (503), `engine_crash` or `engine_error` (502); the
 *   signal's reason when aborted
 */
export async function forward({ engine, connections }: Upstream, carried: Carried): Promise<Answer> {
  // Put behind the address it would name another host: CONNECT lets `x:@elsewhere/../api/tags` through, bare as it is.
  if (!/^\/[\x21-\x7e]*$/.test(carried.path)) throw failure.invalid(`${quote(carried.path)} is not a path`);
  // What answers at the address of an engine that is not ready may be a stranger: no prompt, no key goes there.
  if (engine.state !== "ready") throw notReady(engine);
  const run = engine.run;
  const isReplayable = !(carried.body instanceof ReadableStream);
  const length = carried.headers.get("content-length");
  const { method, path, body, signal } = carried;
  const asking = {
    ...{ method, path, body, signal },
    header: headerToEngine(carried.headers, carried.mustRead),
    length: length === null ? null : Number(length),
  };
  try {
    return await connections.ask(engine.address, asking);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NoConnection) {
      // Nothing was sent: it may have been between two listens.
      await Bun.sleep(50);
      signal.throwIfAborted();
      if (!isReplayable || engine.state !== "ready") throw notReady(engine);
    } else {
      const died = await engine.died(run);
      signal.throwIfAborted();
      if (died || !isReplayable || !isReset(error) || engine.run !== run) throw lost(error, died);
    }
  }
  try {
    return await connections.ask(engine.address, asking);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof NoConnection ? notReady(engine) : lost(error, await engine.died(run));
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

function notReady(engine: Engine): Failure {
  return failure.engineDown(engine.why ?? `Ollama at ${engine.address} does not answer`);
}

function lost(error: unknown, died: boolean): Failure {
  if (error instanceof NotHttp)
    return failure.engineAnswer(
      502,
      `what answers at Ollama's address does not speak HTTP: ${error.message}`,
    );
  return died
    ? failure.engineLost("Ollama ended before it answered: it is being started again, try once more")
    : failure.engineAnswer(
        502,
        `the connection to Ollama broke before it answered (${codeOf(error) || "closed"})`,
      );
}

/** A kept connection that the engine had closed, most often: no byte of an answer has come. */
function isReset(error: unknown): boolean {
  return error instanceof ConnectionLost && !error.hasBegun;
}
