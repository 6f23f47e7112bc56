import { type Static, Type } from "@sinclair/typebox";
import { nullable, oneOf, timeSchema } from "../common";

export const model = Type.String({
  minLength: 1,
  maxLength: 400,
  description: "Only this model",
  examples: ["llama3.2"],
});
export const hours = { minimum: 1, maximum: 876_000, examples: [24] };

/** One server of several that share a database. */
export const server = Type.String({
  format: "uuid",
  description: "Only what this server recorded; summary with group_by=server lists them",
  examples: ["019ab2c4-6f10-7000-8000-000000000001"],
});

export const currentQuery = Type.Object({ server: Type.Optional(server) });

export const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: "Most entries", examples: [50] }),
);
export const order = Type.Optional(
  oneOf(["asc", "desc"], { default: "desc", description: "Which end first", examples: ["desc"] }),
);

const page = {
  limit,
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000_000,
      default: 0,
      description: "Entries to leave out first",
      examples: [0],
    }),
  ),
  order,
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
  server: Type.Optional(server),
  sort: Type.Optional(
    oneOf(modelSortFields, {
      default: "total_requests",
      description: "What to sort by",
      examples: ["total_tokens"],
    }),
  ),
});

export const ms = (description: string, example: number) =>
  Type.Number({ description: `${description}, ms`, examples: [example] });
export const rate = Type.Number({
  minimum: 0,
  maximum: 1,
  description: "Share of requests that ended in an error",
  examples: [0.05],
});
export const speed = Type.Number({
  description: "Completion tokens over the engine's own generation time",
  examples: [45],
});
export const truncated = Type.Number({
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
export type CurrentQuery = Static<typeof currentQuery>;
export type CurrentStatistics = Static<(typeof statsModels)["CurrentStatistics"]>;
export type ModelsQuery = Static<typeof modelsQuery>;
export type ModelStatistics = Static<(typeof statsModels)["ModelStatistics"]>;
