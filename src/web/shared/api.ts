/** The API as the page asks it: its answers are typed by the schemas that the server checks them against. */
import type { Static } from "@sinclair/typebox";
import type { doneModels } from "../../api/common";
import type { dataModels } from "../../api/data/model";
import type { engineModels } from "../../api/engine/model";
import type { eventModels } from "../../api/events/model";
import type { healthModels } from "../../api/health/model";
import type { ledgerModels } from "../../api/ledger/model";
import type { repositoryModels } from "../../api/models/model";
import type { ollamaModels } from "../../api/ollama/model";
import type { requestModels } from "../../api/requests/model";
import type { settingsModels } from "../../api/settings";
import type { figuresModels } from "../../api/stats/figures-model";
import type { logsModels } from "../../api/stats/logs/model";
import type { statsModels } from "../../api/stats/model";
import type { LoadedModels, ShownModel } from "./ollama";
import { askForKey } from "./session";

export type Logs = Static<(typeof logsModels)["Logs"]>;
export type Engine = Static<(typeof engineModels)["Engine"]>;
type Health = Static<(typeof healthModels)["Health"]>;
export type Ledger = Static<(typeof ledgerModels)["Ledger"]>;
type Events = Static<(typeof eventModels)["Events"]>;
export type ActiveRequest = Static<(typeof requestModels)["ActiveRequests"]>["requests"][number];
/** A request as a page of logs has it. */
export type Entry = Logs["logs"][number];
/** A request in full. */
export type WholeRequest = Static<(typeof requestModels)["Request"]>;
type Done = Static<(typeof doneModels)["Done"]>;

export type InstalledModel = Static<(typeof ollamaModels)["InstalledModels"]>["models"][number];
export type Library = Static<(typeof ollamaModels)["LibraryPage"]>;
export type Pulls = Static<(typeof ollamaModels)["Pulls"]>;
export type RepositoryModel = Static<(typeof repositoryModels)["RepositoryModel"]>;
export type RepositoryChanges = Static<(typeof repositoryModels)["RepositoryChanges"]>;
export type ModelUse = Static<(typeof statsModels)["ModelStatistics"]>["models"][number];

export type History = Static<(typeof figuresModels)["History"]>;
export type Summary = Static<(typeof figuresModels)["Summary"]>;
export type DataSummary = Static<(typeof dataModels)["DataSummary"]>;
export type Settings = Static<(typeof settingsModels)["Settings"]>;

/** What is asked, and what is answered. A view adds its own. */
export interface Answers {
  "GET /api/health": Health;
  "GET /api/engine": Engine;
  "GET /api/engine/log": Static<(typeof engineModels)["EngineLog"]>;
  "POST /api/engine/restart": Engine;
  "GET /api/events": Events;
  "GET /api/ledger": Ledger;
  "GET /api/stats/current": Static<(typeof statsModels)["CurrentStatistics"]>;
  "GET /api/stats/history": History;
  "GET /api/stats/summary": Summary;
  "GET /api/stats/logs": Logs;
  "GET /api/requests/active": Static<(typeof requestModels)["ActiveRequests"]>;
  "GET /api/requests/:id": WholeRequest;
  "GET /api/models": Static<(typeof statsModels)["ModelStatistics"]>;
  "DELETE /api/requests/active/:id": Done;
  "GET /api/data/summary": DataSummary;
  "GET /api/data/clearable": Static<(typeof dataModels)["Clearable"]>;
  "DELETE /api/data/logs": Static<(typeof dataModels)["RowsCleared"]>;
  "DELETE /api/data/metrics": Static<(typeof dataModels)["RowsCleared"]>;
  "DELETE /api/data/all": Static<(typeof dataModels)["AllCleared"]>;
  "GET /api/settings": Settings;
  "GET /api/ps": LoadedModels;
  "GET /api/ollama/models": Static<(typeof ollamaModels)["InstalledModels"]>;
  "DELETE /api/ollama/models/:name": Done;
  "GET /api/ollama/library": Library;
  "GET /api/ollama/pulls": Pulls;
  "DELETE /api/ollama/pulls/:id": Done;
  "GET /api/models/repository": Static<(typeof repositoryModels)["RepositoryModels"]>;
  "POST /api/models/repository": RepositoryModel;
  "PUT /api/models/repository/:name": Done;
  "POST /api/show": ShownModel;
  "POST /api/generate": unknown;
  "POST /api/embed": unknown;
}

export interface Asked {
  /** Values for the `:names` in the path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What the server answers when it can't: `message` says what happened and what to do. */
export class ApiError extends Error {
  /** @param status 0 when nobody answered */
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Asks the API; where the admin key is needed the person is asked for it, once.
 * @throws ApiError; DOMException "AbortError" when the signal aborts
 */
export async function call<K extends keyof Answers>(what: K, asked: Asked = {}): Promise<Answers[K]> {
  const response = await request(what, asked);
  // Health answers 503 with a whole answer.
  if (!response.ok && what !== "GET /api/health") throw await errorOf(response);
  const answer: Answers[K] = await response.json().catch((error: unknown) => {
    throw asked.signal?.aborted ? error : new ApiError(0, "Corral's answer broke off: try again.");
  });
  return answer;
}

/** As `call`, for answers that are streams: the response as it comes, whatever its status. */
export async function request(what: string, asked: Asked = {}): Promise<Response> {
  const [method = "GET", path = ""] = what.split(" ");
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(asked.params?.[name] ?? ""));
  const given = Object.entries(asked.query ?? {}).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  const send = () =>
    fetch(filled + (query && `?${query}`), {
      method,
      headers: {
        ...(asked.body === undefined ? {} : { "content-type": "application/json" }),
        ...asked.headers,
      },
      ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
      ...(asked.signal ? { signal: asked.signal } : {}),
    }).catch((error: unknown) => {
      if (asked.signal?.aborted) throw error;
      throw new ApiError(0, "Corral does not answer: is it running, and is this machine connected?");
    });
  const response = await send();
  return response.status === 401 && (await askForKey()) ? send() : response;
}

/** What a response that is no success says. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const said = typeof body === "object" && body !== null && "error" in body ? body.error : null;
  return new ApiError(
    response.status,
    typeof said === "string" ? said : `Corral answered ${response.status}`,
  );
}
