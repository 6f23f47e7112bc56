import { type Static, Type } from "@sinclair/typebox";
import { sortFields } from "../../../ledger/read/filter";
import { operations, outcomes, statuses, truncations } from "../../../ledger/record";
import { moment, nullable, oneOf, timeSchema } from "../../common";
import { hours, limit, ms, order, speed } from "../model";

/** Beyond it a page would be counted rather than found. */
const FARTHEST_OFFSET = 100_000;

const name = (description: string, example: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 400, description, examples: [example] }));

const filter = {
  model: name("Only this model", "llama3.2"),
  status: Type.Optional(
    oneOf(statuses, { description: "Only requests that ended so", examples: ["success"] }),
  ),
  outcome: Type.Optional(
    oneOf(outcomes, { description: "Only requests that ended exactly so", examples: ["timeout"] }),
  ),
  dialect: name("Only requests in this dialect", "ollama.chat"),
  operation: Type.Optional(oneOf(operations, { description: "Only this kind of work", examples: ["chat"] })),
  client_ip: name("Only requests from this address", "192.168.1.100"),
  user: name("Only requests of this user", "ada@example.org"),
  server: name("Only requests that this Corral took, by its id", "0b8f4c1e-93d5-4a6e-8f7b-2c1d9e0a4b35"),
  hours: Type.Optional(
    Type.Integer({ ...hours, description: "Only requests of so many hours before `to`, or before now" }),
  ),
  from: moment("Only requests that began then or later", "2026-11-25T00:00:00Z"),
  to: moment("Only requests that began before", "2026-11-26T00:00:00Z"),
  min_latency_ms: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000_000,
      description: "Only requests that took so many ms or more",
      examples: [1000],
    }),
  ),
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1000,
      description: "Text in prompt or reply, whatever its case",
      examples: ["quantum"],
    }),
  ),
};
const filterSchema = Type.Object(filter);
export type LogsFilter = Static<typeof filterSchema>;

export const logsQuery = Type.Object({
  limit,
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: FARTHEST_OFFSET,
      default: 0,
      description: "Entries to leave out first; a cursor goes any distance, and needs none",
      examples: [0],
    }),
  ),
  sort: Type.Optional(
    oneOf(sortFields, { default: "timestamp", description: "What to sort by", examples: ["latency_ms"] }),
  ),
  order,
  ...filter,
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1000, description: "The `next` of an earlier page" }),
  ),
  text_length: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      description: "Prompt, reply and thinking end after so many characters; they are whole without it",
      examples: [200],
    }),
  ),
});
export type LogsQuery = Static<typeof logsQuery>;

export const exportQuery = Type.Object({
  format: Type.Optional(
    oneOf(["ndjson", "csv"], {
      default: "ndjson",
      description:
        "ndjson: a JSON object a line, each as /api/requests/{id} answers it; csv: the fields of a log entry",
      examples: ["ndjson"],
    }),
  ),
  order,
  ...filter,
});
export type ExportQuery = Static<typeof exportQuery>;

/** A request as a page of logs has it. */
export const entryProperties = {
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
  status: oneOf(statuses, { examples: ["success"] }),
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
  in_flight: nullable(Type.Integer(), {
    description: "Requests under way when it came, itself not counted",
    examples: [0],
  }),
  server: Type.String({
    description: "The Corral that took it, by its id",
    examples: ["0b8f4c1e-93d5-4a6e-8f7b-2c1d9e0a4b35"],
  }),
};

export const logsModels = {
  Logs: Type.Object(
    {
      logs: Type.Array(Type.Object(entryProperties)),
      total: Type.Integer({
        description: "What the filters let through, counted up to 10,000, or as far as was looked for it",
        examples: [42],
      }),
      total_is_exact: Type.Boolean({ description: "Whether there are no more than that", examples: [true] }),
      next: nullable(Type.String(), {
        description: "Cursor of what follows; null at the end. A page may be short, even empty, and have one",
        examples: [null],
      }),
      searched_to: nullable(timeSchema, {
        description:
          "Sorted by time: when the last request began that was looked at; null where all was, to the end",
        examples: [null],
      }),
    },
    { description: "A page of requests, newest first unless asked otherwise" },
  ),
};
