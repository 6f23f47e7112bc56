/** What the library's `OllamaService` asks of Ollama, and its errors when the answer is none. */
import { Value } from "@sinclair/typebox/value";
import { ConnectionError, Failure, HealthCheckError, messageOf, OllamaServiceError } from "../errors";
import { occupant, sayOccupant } from "./place";
import { errorSchema, type GenerateReply, generateReplySchema, parseJson } from "./wire";

/** @returns true @throws HealthCheckError after the last try */
export async function askHealth(address: string, retries: number, timeoutMs: number): Promise<true> {
  for (let attempt = 0; ; attempt++) {
    const found = await occupant(address, timeoutMs);
    if (found.kind === "ollama") return true;
    if (attempt >= retries) {
      throw new HealthCheckError(
        `Ollama at ${address} is not healthy: ${sayOccupant(found)} (asked ${attempt + 1} times)`,
      );
    }
    await Bun.sleep(Math.min(100 * 2 ** attempt, 2000));
  }
}

/** A whole text. @throws OllamaServiceError with Ollama's words when it refuses */
export async function askText(address: string, model: string, prompt: string): Promise<GenerateReply> {
  // No time limit: slow models take minutes, and the timeout setting is for connections.
  const init: BunFetchRequestInit = {
    method: "POST",
    body: JSON.stringify({ model, prompt, stream: false }),
    timeout: false,
  };
  const response = await fetch(`${address}/api/generate`, init);
  const reply = parseJson(await response.text());
  if (!response.ok || !Value.Check(generateReplySchema, reply)) {
    const words = Value.Check(errorSchema, reply)
      ? reply.error
      : "it answered with something that is no reply";
    throw new OllamaServiceError(`Ollama at ${address} refused (status ${response.status}): ${words}`);
  }
  return reply;
}

/** Does the work; what fails on the way to Ollama becomes a ConnectionError. */
export async function asService<T>(address: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OllamaServiceError) throw error;
    // The client's own failures say already where and what.
    const words = error instanceof Failure ? error.message : `Ollama at ${address}: ${messageOf(error)}`;
    throw new ConnectionError(words, { cause: error });
  }
}
