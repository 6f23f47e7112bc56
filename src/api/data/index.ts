import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Database } from "../../database/database";
import type { Ledger } from "../../ledger/ledger";
import { readSummary } from "../../ledger/read/statistics";
import { about, errorModels, errors, nullable, timeSchema } from "../common";

const success = Type.Boolean({ examples: [true] });
const rows = (example: number) => Type.Integer({ description: "Rows that are gone", examples: [example] });

export const dataModels = {
  DataSummary: Type.Object(
    {
      total_requests: Type.Number({ description: "Requests that the metrics count", examples: [42] }),
      total_logs_entries: Type.Number({ description: "Request rows", examples: [42] }),
      metric_points: Type.Number({ description: "Rows of metrics and histograms", examples: [240] }),
      oldest_timestamp: nullable(timeSchema),
      newest_timestamp: nullable(timeSchema),
      database_size_mb: Type.Number({
        description: "Decimal megabytes, as PostgreSQL counts them",
        examples: [15.3],
      }),
    },
    { description: "What is kept" },
  ),
  RowsCleared: Type.Object(
    { success, message: Type.String({ examples: ["All metrics cleared"] }), rows_deleted: rows(240) },
    { description: "What was deleted" },
  ),
  AllCleared: Type.Object(
    {
      success,
      message: Type.String({ examples: ["All data cleared"] }),
      metrics_deleted: rows(240),
      logs_deleted: rows(42),
    },
    { description: "What was deleted" },
  ),
};

export function dataRoutes({ database, ledger }: { readonly database: Database; readonly ledger: Ledger }) {
  return new Elysia({ name: "data" })
    .model({ ...dataModels, ...errorModels })
    .get("/api/data/summary", () => summary(database), {
      response: { 200: "DataSummary", ...errors.server },
      detail: about("Data", "Data summary", "How much is kept, since when, and how big it is."),
    })
    .delete(
      "/api/data/metrics",
      async () => ({
        success: true,
        message: "All metrics cleared",
        rows_deleted: (await ledger.clear("metrics")).metrics,
      }),
      {
        response: { 200: "RowsCleared", ...errors.server },
        detail: about(
          "Data",
          "Clear all metrics",
          "Deletes metrics, for good, and gives their space back. Requests and their texts stay.",
          "deletes",
        ),
      },
    )
    .delete(
      "/api/data/logs",
      async () => ({
        success: true,
        message: "All request logs cleared",
        rows_deleted: (await ledger.clear("logs")).logs,
      }),
      {
        response: { 200: "RowsCleared", ...errors.server },
        detail: about(
          "Data",
          "Clear all request logs",
          "Deletes requests and their texts, for good. Metrics stay, events too: they are an audit trail. Requests in flight are kept.",
          "deletes",
        ),
      },
    )
    .delete(
      "/api/data/all",
      async () => {
        const cleared = await ledger.clear("all");
        return {
          success: true,
          message: "All data cleared",
          metrics_deleted: cleared.metrics,
          logs_deleted: cleared.logs,
        };
      },
      {
        response: { 200: "AllCleared", ...errors.server },
        detail: about(
          "Data",
          "Clear all data",
          "Deletes metrics, requests and texts, for good. The model repository stays, and so do events: they are an audit trail.",
          "deletes",
        ),
      },
    );
}

async function summary(database: Database) {
  const kept = await readSummary(database);
  return {
    total_requests: kept.requests,
    total_logs_entries: kept.logs,
    metric_points: kept.points,
    oldest_timestamp: kept.oldest?.toISOString() ?? null,
    newest_timestamp: kept.newest?.toISOString() ?? null,
    database_size_mb: Math.round(kept.bytes / 100_000) / 10,
  };
}
