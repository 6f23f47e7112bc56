import { type Static, Type } from "@sinclair/typebox";
import { nullable, timeSchema } from "../common";

const success = Type.Boolean({ examples: [true] });
const rows = (example: number) => Type.Integer({ description: "Rows that are gone", examples: [example] });
const bytes = (description: string, example: number) =>
  Type.Integer({ description: `${description}, bytes`, examples: [example] });
const day = (description: string) =>
  nullable(timeSchema, { description: `${description}; null where there is none` });

export const diskUse = Type.Object(
  {
    budget_bytes: nullable(Type.Integer(), {
      description: "CORRAL_DISK_BUDGET, bytes; null for no limit",
      examples: [20_000_000_000],
    }),
    used_bytes: bytes("Database, spool and Ollama's log together", 4_204_311_000),
    database_bytes: bytes(
      "The database, of all servers on it (the embedded one with its write-ahead log)",
      4_184_311_000,
    ),
    spool_bytes: bytes("Records on their way to the database", 1_204_311),
    engine_log_bytes: bytes("Ollama's log", 18_795_689),
    free_bytes: nullable(Type.Integer(), {
      description:
        "What the disk of the data folder has left, bytes; null where the database is on another server",
      examples: [120_000_000_000],
    }),
    bytes_a_day: nullable(Type.Integer(), {
      description:
        "How much the records grow by in a day, at the pace of the last days; null where nothing tells",
      examples: [48_000_000],
    }),
    full_at: nullable(timeSchema, {
      description:
        "When budget or disk are used up, at the pace of the last days; null where the budget is, and the oldest go, or nothing tells",
      examples: ["2027-01-25T10:15:23.000Z"],
    }),
    texts_since: day("The oldest day that texts are kept of"),
    requests_since: day("The oldest month that request rows are kept of"),
  },
  { description: "The room that the records take" },
);
export type DiskUseView = Static<typeof diskUse>;

const keptOf = (what: string, rowsAre = "Rows") =>
  Type.Object(
    {
      rows: nullable(Type.Integer(), { description: rowsAre, examples: [42] }),
      bytes: bytes("With indexes", 15_300_000),
      since: nullable(timeSchema, { description: "The oldest of it; null where there is none" }),
      until: nullable(timeSchema, {
        description:
          "When the oldest of it is forgotten by age, at the earliest; null for never, and where there is none",
      }),
    },
    { description: what },
  );

export const clearQuery = Type.Object({
  before: Type.Optional(
    Type.String({
      description: "Only what began before this time (RFC 3339)",
      examples: ["2026-11-01T00:00:00Z"],
    }),
  ),
  model: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1000, description: "Only of this model", examples: ["llama3.2"] }),
  ),
});
export type ClearQuery = Static<typeof clearQuery>;

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
      kept: Type.Object({
        requests: keptOf("Request rows; a month goes at a time"),
        texts: keptOf(
          "Prompts and replies; a day goes at a time",
          "Exact up to 10,000; of more as many as PostgreSQL last estimated, null before it did",
        ),
        metrics: keptOf("Metrics and histograms, of every step"),
        events: keptOf("Changes to models and engine"),
      }),
      disk: diskUse,
    },
    { description: "What is kept" },
  ),
  Clearable: Type.Object(
    {
      logs: Type.Integer({ description: "Request rows", examples: [42] }),
      metrics: Type.Integer({ description: "Rows of metrics and histograms", examples: [240] }),
    },
    { description: "Rows that a deletion would take now" },
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
