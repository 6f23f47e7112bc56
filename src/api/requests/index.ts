import { Elysia } from "elysia";
import { failure, quote } from "../../errors";
import type { Active } from "../../gateway/active";
import { about, doneModels, errorModels, errors } from "../common";
import { requestModels, requestParams } from "./model";
import { sayActive } from "./service";

const tag = "Requests";

export function requestRoutes({ active }: { readonly active: Active }) {
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
