/** Errors as Anthropic's API says them, before the status line and inside a stream. */
import type { Failure } from "../../../errors";

/** https://docs.claude.com/en/api/errors, and the 503 that Ollama calls overloaded. */
const types: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
  529: "overloaded_error",
};

function errorBody({ status, message }: Failure) {
  const type = types[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  return { type: "error", error: { type, message } };
}

/** A Failure as an answer of its own. */
export function refuseAnthropic(failure: Failure): Response {
  const response = Response.json(errorBody(failure), { status: failure.status });
  // The official clients try a 503 again by themselves, which would bring back what somebody has just ended.
  if (failure.code === "canceled") response.headers.set("x-should-retry", "false");
  return response;
}

/** The event that ends a broken stream. */
export function errorEvent(failure: Failure): string {
  return `event: error\ndata: ${JSON.stringify(errorBody(failure))}\n\n`;
}
