/** Reading a request's body, bounded. */
import { Failure, failure } from "../errors";

/** The contract's limit on its paths. */
export const contractBodyBytes = 64_000_000;
/** Inference with images: Ollama has no limit, our memory does. */
export const inferenceBodyBytes = 256_000_000;

/**
 * The whole body.
 * @throws Failure 413 beyond the limit, without reading on; 400 where the client left in the middle of it
 */
export async function readBody(request: Request, limitBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > limitBytes) throw failure.tooLarge(limitBytes);
  if (!request.body) return new Uint8Array(0);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for await (const part of request.body) {
      size += part.length;
      if (size > limitBytes) throw failure.tooLarge(limitBytes);
      parts.push(part);
    }
  } catch (error) {
    // Bun's own words are for a connection that was closed: nobody reads the answer, and it is no fault of ours.
    throw error instanceof Failure
      ? error
      : failure.invalid("the connection was closed before the body was over");
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
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
