/** Faults that stand in place of a whole answer. */
import type { Behaviour } from "./behaviour";
import { Refusal } from "./body";
import { goJson } from "./go-json";
import { wait } from "./wait";

const messages: Record<number, string> = {
  400: "simulated bad request",
  401: "unauthorized",
  403: "ollama cloud is disabled: remote inference is unavailable",
  429: "too many concurrent requests",
  500: "llama-server process has terminated: exit status 2",
  502: "upstream error",
  503: "server busy, please try again.  maximum pending requests exceeded",
};

const page =
  "<!DOCTYPE html>\n<html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>\n";

/**
 * Stays silent for as long as was asked, then says what is to be answered instead, if anything.
 * @throws Gone, or Refusal for a fault that has the shape of an error in the API that was spoken
 */
export async function insteadOf(
  behaviour: Behaviour,
  signal: AbortSignal,
): Promise<(() => Response) | undefined> {
  if (behaviour.hang) await wait(signal);
  if (behaviour.silent !== undefined) await wait(signal, behaviour.silent);
  const { http } = behaviour;
  if (http !== undefined) {
    const status = http >= 200 && http <= 599 ? http : 500;
    throw new Refusal(status, messages[status] ?? "simulated failure");
  }
  if (behaviour.html)
    return () => new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
  if (behaviour.empty) return () => new Response("", { headers: { "content-type": "application/x-ndjson" } });
  return undefined;
}

/** JSON with Ollama's content type and no newline at its end, as gin writes it. */
export function jsonResponse(
  value: unknown,
  status = 200,
  contentType = "application/json; charset=utf-8",
): Response {
  return new Response(goJson(value), { status, headers: { "content-type": contentType } });
}
