import { type Static, Type } from "@sinclair/typebox";
import { sortFields } from "../../ledger/read/logs";
import { outcomes, statuses, truncations } from "../../ledger/record";
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

export const logsQuery = Type.Object({
  ...page,
  model: Type.Optional(model),
  status: Type.Optional(
    oneOf(statuses, { description: "Only requests that ended so", examples: ["success"] }),
  ),
  hours: Type.Optional(Type.Integer({ ...hours, description: "Only requests of the last hours" })),
  sort: Type.Optional(
    oneOf(sortFields, { default: "timestamp", description: "What to sort by", examples: ["latency_ms"] }),
  ),
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1000,
      description: "Text in prompt or reply, whatever its case",
      examples: ["quantum"],
    }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1000, description: "The `next` of an earlier page" }),
  ),
});

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
const status = oneOf(statuses, { examples: ["success"] });

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
  Logs: Type.Object(
    {
      logs: Type.Array(
        Type.Object({
          id: Type.String({ examples: ["req_019ab2c4-6f10-7000-8000-000000000001"] }),
          timestamp: timeSchema,
          model: nullable(Type.String(), { examples: ["llama3.2"] }),
          prompt: nullable(Type.String(), {
            description: "The last user text",
            examples: ["What is Python?"],
          }),
          response: nullable(Type.String(), { examples: ["Python is a high-level programming language..."] }),
          tokens_used: nullable(Type.Number(), { description: "Prompt and completion", examples: [150] }),
          latency_ms: ms("From arrival to the last byte", 1250),
          status,
          client_ip: nullable(Type.String(), { examples: ["192.168.1.100"] }),
          outcome: oneOf(outcomes, { description: "How it ended, exactly", examples: ["complete"] }),
          dialect: Type.String({ examples: ["contract.chat"] }),
          operation: Type.String({ examples: ["chat"] }),
          stream: Type.Boolean({ examples: [true] }),
          http_status: nullable(Type.Integer(), { examples: [200] }),
          ttft_ms: nullable(ms("To the first piece of content, thinking or tool call", 180)),
          tokens_in: nullable(Type.Number(), { examples: [26] }),
          tokens_out: nullable(Type.Number(), { examples: [124] }),
          tokens_per_second: nullable(speed),
          finish_reason: nullable(Type.String(), { examples: ["stop"] }),
          thinking: nullable(Type.String(), { examples: [null] }),
          error: nullable(Type.String(), { examples: [null] }),
          user_agent: nullable(Type.String(), { examples: ["curl/8.5.0"] }),
          user: nullable(Type.String(), {
            description: "Who is behind the client, in its own words",
            examples: ["ada@example.org"],
          }),
          upstream_status: nullable(Type.Integer(), {
            description: "What Ollama answered; absent where it did not",
            examples: [200],
          }),
          longest_gap_ms: nullable(ms("Longest wait between two pieces", 21)),
          client_wait_ms: nullable(ms("How long the reply waited for its client to read", 0)),
          tokens_cached: nullable(Type.Number(), { examples: [12] }),
          load_ms: nullable(ms("Loading and waiting, by Ollama's own count", 5)),
          prefill_ms: nullable(ms("Reading the prompt, by Ollama's own count", 10)),
          decode_ms: nullable(ms("Writing the reply, by Ollama's own count", 1000)),
          cold: nullable(Type.Boolean(), {
            description: "Whether the model had to be loaded",
            examples: [false],
          }),
          context_length: nullable(Type.Integer(), {
            description: "Tokens of context that the model was loaded with",
            examples: [4096],
          }),
          truncated: nullable(oneOf(truncations), {
            description:
              "Whether a part of what was sent never reached the model: `truncated` is sure, `truncated_likely` is not; null where nothing shows it, or nothing tells",
            examples: [null],
          }),
          model_digest: nullable(Type.String(), { examples: ["sha256:abc123..."] }),
          traceparent: nullable(Type.String(), {
            description: "W3C trace context of the client",
            examples: [null],
          }),
        }),
      ),
      total: Type.Integer({ description: "All that the filters let through", examples: [42] }),
      next: nullable(Type.String(), { description: "Cursor of the following page", examples: [null] }),
    },
    { description: "A page of requests, newest first unless asked otherwise" },
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
