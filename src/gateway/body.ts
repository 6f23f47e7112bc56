/** Reading a request's body, bounded. */
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { asFailure, Failure, failure } from "../errors";

/** The contract's limit on its paths. */
export const contractBodyBytes = 64_000_000;
/** Inference with images: Ollama has no limit, our memory does. */
export const inferenceBodyBytes = 256_000_000;

/**
 * What is read of a compressed body: Ollama's own limit, beyond which it refuses it. Unpacking holds up everybody, and
 * 200 KB can hold hundreds of megabytes.
 */
const PLAIN_BYTES = 20_971_520;

/** A client that sends nothing of its body for longer is gone without a goodbye, or keeps a file handle of ours for fun. */
const SILENCE_MS = 60_000;

/** What arrives in one piece, or nearly: reading it as a stream costs more than all else that is done with it. */
const SMALL_BYTES = 65_536;

/**
 * The whole body.
 * @throws Failure 413 beyond the limit, without reading on; 408, and 400 where the client left in the middle of it
 */
export async function readBody(
  request: Request,
  limitBytes: number,
  silenceMs = SILENCE_MS,
): Promise<Uint8Array<ArrayBuffer>> {
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > limitBytes) throw failure.tooLarge(limitBytes);
  if (length !== null && Number(length) <= SMALL_BYTES) return unlessSilent(request.bytes(), silenceMs);
  if (!request.body) return new Uint8Array(0);
  const reader = request.body.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for (;;) {
      const next = await unlessSilent(reader.read(), silenceMs);
      if (next.done) break;
      size += next.value.length;
      if (size > limitBytes) throw failure.tooLarge(limitBytes);
      parts.push(next.value);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

/**
 * What compressed bytes say; the bytes themselves where they are not compressed, and null where they can't be read: an
 * unknown encoding, broken, or beyond the limit. Only the record needs it, what goes on is the bytes.
 */
export function plainOf(
  bytes: Uint8Array<ArrayBuffer>,
  encoding: string | null,
): Uint8Array<ArrayBuffer> | null {
  const name = (encoding ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "") return bytes;
  const limit = { maxOutputLength: PLAIN_BYTES };
  try {
    if (name === "gzip" || name === "x-gzip") return new Uint8Array(gunzipSync(bytes, limit));
    if (name === "zstd") return new Uint8Array(zstdDecompressSync(bytes, limit));
    if (name === "deflate") return new Uint8Array(inflateSync(bytes, limit));
    if (name === "br") return new Uint8Array(brotliDecompressSync(bytes, limit));
  } catch {
    // The engine says what it thinks of it.
  }
  return null;
}

/**
 * A body to hand on, read no faster than it is taken.
 * @param broken is told why, where it does not come to its end
 * @param seen is shown each piece as it passes
 */
export function passedBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  broken: (why: Failure) => void,
  silenceMs = SILENCE_MS,
  seen: (piece: Uint8Array) => void = () => {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let isTaken = true;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        try {
          const next = await unlessSilent(reader.read(), silenceMs);
          if (!next.done) seen(next.value);
          // Whoever took it gave up meanwhile: why is theirs to say.
          if (!isTaken) return;
          if (next.done) controller.close();
          else controller.enqueue(next.value);
        } catch (error) {
          if (!isTaken) return;
          broken(asFailure(error));
          // Without a reason: Bun 1.4.4 prints one with its stack.
          controller.error();
        }
      },
      cancel: () => {
        isTaken = false;
        return reader.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Has a connection closed after its answer where its body never came to an end: Bun would keep it for ever. */
export function hangUp({ status }: Failure, response: Response): Response {
  if (status === 408) response.headers.set("connection", "close");
  return response;
}

/**
 * What is being read of a body; how long whoever takes it takes is nobody's silence.
 * @throws Failure 408 for a client that is silent, 400 for one that left
 */
async function unlessSilent<T>(read: Promise<T>, silenceMs: number): Promise<T> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(() => silence.reject(failure.silentBody(silenceMs)), silenceMs);
  try {
    return await Promise.race([read, silence.promise]);
  } catch (error) {
    // Bun's own words are for a connection that was closed: nobody reads the answer, and it is no fault of ours.
    throw error instanceof Failure
      ? error
      : failure.invalid("the connection was closed before the body was over");
  } finally {
    clearTimeout(timer);
  }
}

/** Go's limit. Beyond it Ollama refuses, and writing JSON takes seconds until it gives up (Bun 1.4.4). */
const DEEPEST = 10_000;

/** The body as JSON; undefined where it is none, or is nested deeper than anybody reads it. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return bytes.length > 2 * DEEPEST && isDeeper(json, DEEPEST) ? undefined : json;
  } catch {
    return undefined;
  }
}

function isDeeper(json: unknown, levels: number): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (levels === 0) return true;
  for (const value of Array.isArray(json) ? json : Object.values(json))
    if (isDeeper(value, levels - 1)) return true;
  return false;
}
