import { Elysia } from "elysia";
import type { Database } from "../../database/database";
import { failure, quote } from "../../errors";
import type { Active } from "../../gateway/active";
import { readRequest } from "../../ledger/read/request";
import { about, doneModels, errorModels, errors } from "../common";
import { requestModels, requestParams } from "./model";
import { sayActive } from "./service";

const tag = "Requests";

export function requestRoutes({
  active,
  database,
}: {
  readonly active: Active;
  readonly database: Database;
}) {
  return new Elysia({ name: "requests" })
    .model({ ...requestModels, ...doneModels, ...errorModels })
    .get("/api/requests/active", () => ({ requests: active.list().map(sayActive) }), {
      response: { 200: "ActiveRequests" },
      detail: about(
        tag,
        "What is running now",
        "Recorded requests under way, with phase, seconds and tokens so far. No texts, but who asks.",
        "reads texts",
      ),
    })
    .get(
      "/api/requests/:id",
      async ({ params: { id } }) => {
        const request = await readRequest(database, id);
        if (request !== null) return request;
        throw failure.noSuch(
          "request_not_found",
          `no request ${quote(id)} is on record: it may be running still, or older than what is kept`,
        );
      },
      {
        params: requestParams,
        response: { 200: "Request", ...errors.invalid, 404: "RequestNotFound", ...errors.server },
        detail: about(
          tag,
          "One request in full",
          "All that is kept of a request: its texts, messages and options, its times and who told them. Images are their type, size and digest.",
          "reads texts",
        ),
      },
    )
    .delete(
      "/api/requests/active/:id",
      ({ params: { id } }) => {
        if (!active.cancel(id.replace(/^req_/, ""))) {
          throw failure.noSuch("request_not_found", `no request ${quote(id)} is running: it may have ended`);
        }
        return { success: true, message: `Request '${id}' canceled successfully` };
      },
      {
        params: requestParams,
        response: { 200: "Done", ...errors.invalid, 404: "RequestNotFound" },
        detail: about(
          tag,
          "Cancel a request",
          "Ends a running request: Ollama stops working on it, and its client is told in its own dialect.",
          "changes",
        ),
      },
    );
}
