/** `corral health`: asks the server that runs with the same settings how it is, for containers, which have no curl. */
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { calledHost, urlOf } from "../address";
import { healthModels } from "../api/health/model";
import { messageOf } from "../errors";
import type { Settings } from "../settings";

const WITHIN_MS = 5000;
/** What is said of it. The rest has times, whose format nobody knows without the server's parts: it would be refused. */
const said = Type.Pick(healthModels.Health, ["status", "message"]);

/**
 * Says how the server is, and ends with 0 when it answers, with 1 when it does not. An Ollama that is away is said and is
 * no 1: an orchestrator would replace a server that works, and every stream through it.
 */
export async function health({ values }: Settings): Promise<void> {
  const address = urlOf(calledHost(values.host), values.port);
  try {
    const response = await fetch(`${address}/api/health`, { signal: AbortSignal.timeout(WITHIN_MS) });
    const body: unknown = await response.json().catch(() => null);
    if (!Value.Check(said, body)) throw new Error("another program does");
    console.log(`${body.status}: ${body.message}`);
  } catch (error) {
    console.error(`corral: no Corral answers at ${address} (${messageOf(error)})`);
    process.exitCode = 1;
  }
}
