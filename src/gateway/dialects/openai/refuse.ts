/** OpenAI's errors, as Ollama words them too. */
import type { Failure } from "../../../errors";

/** An error in OpenAI's shape, before the status line. */
export function refuseOpenAi(failure: Failure): Response {
  const response = Response.json(errorBody(failure), { status: failure.status });
  // The official clients try a 5xx again by themselves, which would bring back what somebody has just ended.
  if (failure.code === "canceled") response.headers.set("x-should-retry", "false");
  return response;
}

/** The event that ends a broken stream; no `[DONE]` follows it. */
export function errorEvent(failure: Failure): string {
  return `data: ${JSON.stringify(errorBody(failure))}\n\n`;
}

export function errorBody({ status, code, message }: Failure) {
  const type = status === 404 ? "not_found_error" : status < 500 ? "invalid_request_error" : "api_error";
  return { error: { message, type, param: null, code } };
}
