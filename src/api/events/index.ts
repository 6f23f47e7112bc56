import { Elysia } from "elysia";
import type { Database } from "../../database/database";
import { about, coerce, errorModels, errors } from "../common";
import { eventModels, eventsQuery } from "./model";
import { events } from "./service";

export function eventRoutes({ database }: { readonly database: Database }) {
  return new Elysia({ name: "events" })
    .model({ ...eventModels, ...errorModels })
    .get("/api/events", ({ query }) => events(database, query), {
      query: eventsQuery,
      transform: coerce(eventsQuery),
      response: { 200: "Events", ...errors.invalid, ...errors.server },
      detail: about(
        "Events",
        "Who changed what",
        "Pulls, pushes, creates, copies and deletes of models, by Corral's paths and by Ollama's own, and restarts of Ollama on request: who, what, when, how it ended, how many bytes. Newest first, once they have ended. Kept as long as request rows, whatever is cleared.",
        "reads texts",
      ),
    });
}
