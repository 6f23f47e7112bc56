import { type Static, Type } from "@sinclair/typebox";
import { buckets } from "../../ledger/read/statistics";
import { nullable, oneOf, timeSchema } from "../common";

const bucketNames = Object.keys(buckets).map((name) => name as keyof typeof buckets);

const model = Type.String({
  minLength: 1,
  maxLength: 400,
  description: "Only this model",
  examples: ["llama3.2"],
});
const hours = { minimum: 1, maximum: 876_000, examples: [24] };

export const historyQuery = Type.Object({
  hours: Type.Optional(Type.Integer({ ...hours, default: 24, description: "How far back, in hours" })),
  bucket: Type.Optional(
    oneOf(bucketNames, {
      description: "Length of a point; chosen for at most 400 points when absent",
      examples: ["5m"],
    }),
  ),
  model: Type.Optional(model),
  fill: Type.Optional(
    Type.Boolean({ default: false, description: "Answer points without requests too", examples: [false] }),
  ),
});

const page = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: "Most entries", examples: [50] }),
  ),
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000_000,
      default: 0,
      description: "Entries to leave out first",
      examples: [0],
    }),
  ),
  order: Type.Optional(
    oneOf(["asc", "desc"], { default: "desc", description: "Which end first", examples: ["desc"] }),
  ),
};

const modelSortFields = [
  "total_requests",
  "total_tokens",
  "avg_latency_ms",
  "tokens_per_second",
  "error_rate",
  "last_used",
  "name",
] as const;

export const modelsQuery = Type.Object({
  ...page,
  model: Type.Optional(model),
  hours: Type.Optional(Type.Integer({ ...hours, description: "Only use of the last hours" })),
  sort: Type.Optional(
    oneOf(modelSortFields, {
      default: "total_requests",
      description: "What to sort by",
      examples: ["total_tokens"],
    }),
  ),
});

const ms = (description: string, example: number) =>
  Type.Number({ description: `${description}, ms`, examples: [example] });
const rate = Type.Number({
  minimum: 0,
  maximum: 1,
  description: "Share of requests that ended in an error",
  examples: [0.05],
});
const speed = Type.Number({
  description: "Completion tokens over the engine's own generation time",
  examples: [45],
});
const truncated = Type.Number({
  description: "Requests of which a part never reached the model, as far as Corral can tell",
  examples: [1],
});

export const statsModels = {
  CurrentStatistics: Type.Object(
    {
      total_requests: Type.Number({ examples: [42] }),
      total_tokens: Type.Number({ description: "Prompt and completion tokens", examples: [5230] }),
      total_errors: Type.Number({ examples: [2] }),
      total_truncated: truncated,
      avg_latency_ms: nullable(ms("Mean latency of successes to the last byte", 1250.5)),
      models_in_use: Type.Array(Type.String(), {
        description: "Most used first",
        examples: [["llama3.2", "mistral"]],
      }),
      uptime_seconds: Type.Number({
        description: "Of the supervised Ollama; of Corral where it only attaches",
        examples: [3600],
      }),
      timestamp: timeSchema,
    },
    { description: "Totals over all metrics kept" },
  ),
  History: Type.Object(
    {
      metrics: Type.Array(
        Type.Object({
          timestamp: timeSchema,
          requests_per_minute: Type.Number({ examples: [5] }),
          tokens_per_second: nullable(speed),
          avg_latency_ms: nullable(ms("Mean latency of successes", 1200)),
          error_rate: nullable(rate),
        }),
      ),
      bucket: oneOf(bucketNames, { description: "Length of a point", examples: ["5m"] }),
    },
    { description: "Points over time, oldest first" },
  ),
  ModelStatistics: Type.Object(
    {
      models: Type.Array(
        Type.Object({
          name: Type.String({ examples: ["llama3.2"] }),
          total_requests: Type.Number({ examples: [25] }),
          total_tokens: Type.Number({ examples: [3000] }),
          total_truncated: truncated,
          avg_latency_ms: nullable(ms("Mean latency of successes", 1150)),
          tokens_per_second: nullable(speed),
          error_rate: rate,
          last_used: timeSchema,
        }),
      ),
    },
    { description: "Use of each model with metrics kept, most used first" },
  ),
};
export type CurrentStatistics = Static<(typeof statsModels)["CurrentStatistics"]>;
export type ModelsQuery = Static<typeof modelsQuery>;
export type ModelStatistics = Static<(typeof statsModels)["ModelStatistics"]>;
