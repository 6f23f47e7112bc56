/**
 * Every error that the program can raise, with its stable code, HTTP status and words.
 * What an error says to whom is decided in two places only: here, and in `app.ts`, which turns a Failure into
 * the contract's body. Dialects turn the same Failure into theirs.
 */

/** An error that a person can act on: what happened, with which value, and what to do. */
export class Failure extends Error {
  override readonly name = "Failure";

  /**
   * @param code stable, for programs: `engine_down`
   * @param status HTTP status, 400 to 599
   * @param detail the kind of error in a few words: the contract's `detail`
   * @param message the case: what happened, with which value, and what to do: the contract's `error`
   * @param fields further fields of the body, such as the contract's `model` of a 404
   */
  constructor(
    readonly code: string,
    readonly status: number,
    readonly detail: string,
    message: string,
    readonly fields: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The contract's error body. */
  get body(): Record<string, string> {
    return { detail: this.detail, error: this.message, ...this.fields };
  }
}

export const failure = {
  invalid: (message: string) => new Failure("invalid_request", 400, "Invalid request parameters", message),
  ambiguousPath: (path: string) =>
    new Failure(
      "ambiguous_path",
      400,
      "Invalid request parameters",
      `the path ${quote(path)} can be read in two ways: write it without "//", "..", "%2f" outside a name, or needless % encodings`,
    ),
  modelNotFound: (model: string, message = `model ${quote(model)} is not known here`) =>
    new Failure("model_not_found", 404, "Model not found", message, { model }),
  notFound: (path: string) =>
    new Failure(
      "not_found",
      404,
      "Not found",
      `there is nothing at ${quote(path)}: see /swagger for what there is`,
    ),
  /** @param code of the kind of thing that is not there */
  noSuch: (code: string, message: string) => new Failure(code, 404, "Not found", message),
  methodNotAllowed: (method: string, path: string, allowed: readonly string[]) =>
    new Failure(
      "method_not_allowed",
      405,
      "Method not allowed",
      `${method} is not a method of ${path}: it takes ${allowed.join(", ")}`,
    ),
  conflict: (message: string) => new Failure("conflict", 409, "Conflict", message),
  /** @param given whether a key came along, and was another */
  unauthorized: (given: boolean) =>
    new Failure(
      "unauthorized",
      401,
      "Unauthorized",
      `${given ? "this is not Corral's admin key" : "this needs Corral's admin key"}: send the header "Authorization: Bearer KEY" with what CORRAL_ADMIN_KEY was set to, or else with the key in the file admin-key of Corral's data folder`,
    ),
  forbidden: (message: string) => new Failure("forbidden", 403, "Forbidden", message),
  silentBody: (silenceMs: number) =>
    new Failure(
      "request_timeout",
      408,
      "Request timeout",
      `nothing more of the body came for ${Math.round(silenceMs / 1000)} s: send it again`,
    ),
  tooLarge: (limitBytes: number) =>
    new Failure(
      "too_large",
      413,
      "Request body too large",
      `the body is larger than the ${Math.round(limitBytes / 1e6)} MB that are taken here`,
    ),
  database: (why: string) =>
    new Failure("database_away", 500, "Internal server error", `Database connection failed: ${why}`),
  internal: (cause: unknown) =>
    new Failure(
      "internal",
      500,
      "Internal server error",
      "something went wrong inside Corral: the log has the details under this request's id",
      {},
      { cause },
    ),
  engineDown: (why: string) => new Failure("engine_down", 503, "Ollama is not available", why),
  engineLost: (why: string) => new Failure("engine_crash", 502, "Ollama went away", why),
  engineAnswer: (status: number, message: string) =>
    new Failure("engine_error", status, "Ollama answered with an error", message),
  engineTimeout: (message: string) => new Failure("timeout", 504, "Ollama did not answer in time", message),
  canceled: () =>
    new Failure(
      "canceled",
      503,
      "The request was canceled",
      "this request was ended by somebody who runs the server",
    ),
  pullCanceled: () =>
    new Failure(
      "canceled",
      503,
      "The pull was canceled",
      "the pull was canceled by somebody who runs the server",
    ),
  pull: (code: "pull_refused" | "pull_broken", message: string) =>
    new Failure(code, 502, "Pull failed", message),
  stopping: () =>
    new Failure(
      "server_stop",
      503,
      "The server is stopping",
      "Corral is being stopped: try again in a moment",
    ),
  /** @param why a backup is not made, or can't be used */
  backup: (why: string) => new Failure("no_backup", 500, "No backup", why),
  setting: (variable: string, given: string, takes: string) =>
    new Failure("wrong_setting", 400, "Wrong setting", `${variable} is ${quote(given)}: it takes ${takes}`),
  start: (code: string, message: string) => new Failure(code, 503, "The server can't start", message),
} as const;

/** Anything thrown, as a Failure: what is not one already becomes `internal` with the original as its cause. */
export function asFailure(thrown: unknown): Failure {
  return thrown instanceof Failure ? thrown : failure.internal(thrown);
}

/** What an unknown thrown value says, in one line. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.replace(/\s+/g, " ").trim();
}

/** A value in an error message: JSON quotes, shortened, so that nothing in it can be mistaken for our words. */
export function quote(value: string, limit = 200): string {
  return JSON.stringify(value.length > limit ? `${value.slice(0, limit)}…` : value);
}

/** A URL's password must not reach the terminal through an error message. */
export function blot(text: string): string {
  // PostgreSQL takes passwords among a URL's parameters, too.
  return text.replace(/^(\w+:\/\/)?.*@/s, "$1***@").replace(/([?&]\w*password=)[^&]*/gi, "$1***");
}

/** What the library's `OllamaService` throws. Each kind has a stable `code`. */
export class OllamaServiceError extends Error {
  override readonly name: string = "OllamaServiceError";
  readonly code: string = "ollama_service_error";
}
/** Ollama can't be reached, or broke off. */
export class ConnectionError extends OllamaServiceError {
  override readonly name = "ConnectionError";
  override readonly code = "connection_error";
}
/** Ollama was asked whether it is well, and did not say so. */
export class HealthCheckError extends OllamaServiceError {
  override readonly name = "HealthCheckError";
  override readonly code = "health_check_error";
}
/** Ollama can't be started: no program, a stranger on its port, an address that is our own. */
export class ServiceStartError extends OllamaServiceError {
  override readonly name = "ServiceStartError";
  override readonly code = "service_start_error";
}
/** Ollama can't be stopped: it is somebody else's, or it did not end. */
export class ServiceStopError extends OllamaServiceError {
  override readonly name = "ServiceStopError";
  override readonly code = "service_stop_error";
}
