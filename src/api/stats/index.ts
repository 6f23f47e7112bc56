import { Elysia } from "elysia";
import { about, coerce, errorModels, errors } from "../common";
import { history, summary } from "./figures";
import { figuresModels, historyQuery, summaryQuery } from "./figures-model";
import { currentQuery, modelsQuery, statsModels } from "./model";
import { currentStatistics, modelStatistics, type StatsParts } from "./service";

export function statsRoutes(parts: StatsParts) {
  const { database } = parts;
  return new Elysia({ name: "stats" })
    .model({ ...statsModels, ...figuresModels, ...errorModels })
    .get("/api/stats/current", ({ query }) => currentStatistics(parts, query), {
      query: currentQuery,
      response: { 200: "CurrentStatistics", ...errors.invalid, ...errors.server },
      detail: about("Statistics", "Current statistics", "Totals over all metrics that are kept."),
    })
    .get("/api/stats/history", ({ query }) => history(database, query), {
      query: historyQuery,
      transform: coerce(historyQuery),
      response: { 200: "History", ...errors.invalid, ...errors.server },
      detail: about(
        "Statistics",
        "Historical metrics",
        "Requests, speed, latency, time to first token and errors over time, at most 1,500 points. Points of less than 15 minutes are kept for 14 days.",
      ),
    })
    .get("/api/stats/summary", ({ query }) => summary(database, query), {
      query: summaryQuery,
      transform: coerce(summaryQuery),
      response: { 200: "Summary", ...errors.invalid, ...errors.server },
      detail: about(
        "Statistics",
        "Summary of a range",
        "The figures of a range of time as one, with percentiles of latency, time to first token, tokens/s, queue and load; for each model, operation or server with `group_by`.",
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
