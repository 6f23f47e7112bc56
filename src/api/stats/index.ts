import { Elysia } from "elysia";
import { about, coerce, errorModels, errors } from "../common";
import { historyQuery, modelsQuery, statsModels } from "./model";
import { currentStatistics, history, modelStatistics, type StatsParts } from "./service";

export function statsRoutes(parts: StatsParts) {
  const { database } = parts;
  return new Elysia({ name: "stats" })
    .model({ ...statsModels, ...errorModels })
    .get("/api/stats/current", () => currentStatistics(parts), {
      response: { 200: "CurrentStatistics", ...errors.server },
      detail: about("Statistics", "Current statistics", "Totals over all metrics that are kept."),
    })
    .get("/api/stats/history", ({ query }) => history(database, query), {
      query: historyQuery,
      transform: coerce(historyQuery),
      response: { 200: "History", ...errors.invalid, ...errors.server },
      detail: about(
        "Statistics",
        "Historical metrics",
        "Requests, speed, latency and errors over time. Points of minutes are kept for 14 days.",
      ),
    })
    .get("/api/models", ({ query }) => modelStatistics(database, query), {
      query: modelsQuery,
      transform: coerce(modelsQuery),
      response: { 200: "ModelStatistics", ...errors.invalid, ...errors.server },
      detail: about(
        "Statistics",
        "Model statistics",
        "How much each model was used, how fast it was, and how often it failed.",
      ),
    });
}
