import { Type } from "@sinclair/typebox";
import { pullStates } from "../../engine/pull";
import { nullable, oneOf, timeSchema } from "../common";
import shipped from "./library.json";

export const libraryQuery = Type.Object({
  q: Type.Optional(
    Type.String({ maxLength: 200, default: "", description: "Words to search for", examples: ["llama"] }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: "Most models", examples: [20] }),
  ),
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000,
      default: 0,
      description: "Models to leave out first",
      examples: [0],
    }),
  ),
});

export const pullsQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 100,
      description: "Most pulls that are over",
      examples: [20],
    }),
  ),
});

export const pullParams = Type.Object({
  id: Type.String({
    minLength: 1,
    maxLength: 100,
    description: "A pull's id, as the list has it",
    examples: ["pull_019ab2c4-6f10-7000-8000-000000000001"],
  }),
});

export const ollamaModels = {
  InstalledModels: Type.Object(
    {
      models: Type.Array(
        Type.Object({
          name: Type.String({ description: "Canonical name, without :latest", examples: ["llama3.2"] }),
          size: Type.String({ description: "Decimal, as `ollama list` says it", examples: ["4.7 GB"] }),
          modified_at: timeSchema,
          digest: Type.String({ examples: ["sha256:abc123..."] }),
          size_bytes: Type.Number({ examples: [4_661_224_676] }),
          family: Type.String({ examples: ["llama"] }),
          parameter_size: Type.String({ examples: ["3.2B"] }),
          quantization_level: Type.String({ examples: ["Q4_K_M"] }),
          capabilities: nullable(Type.Array(Type.String()), {
            description: "What it can do; null where Ollama does not tell",
            examples: [["completion", "tools"]],
          }),
        }),
      ),
    },
    { description: "What is installed" },
  ),
  PullRequest: Type.Object(
    {
      model: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 350,
          description: "Name of the model",
          examples: ["neural-chat"],
        }),
      ),
      name: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 350,
          description: "The same, under Ollama's old name",
          examples: ["neural-chat"],
        }),
      ),
      insecure: Type.Optional(
        Type.Boolean({ description: "Take registries without TLS", examples: [false] }),
      ),
    },
    { description: "A model to pull" },
  ),
  Pulls: Type.Object(
    {
      pulls: Type.Array(
        Type.Object({
          id: Type.String({ examples: ["pull_019ab2c4-6f10-7000-8000-000000000001"] }),
          model: Type.String({ examples: ["neural-chat"] }),
          insecure: Type.Boolean({
            description: "Whether a registry without TLS is taken",
            examples: [false],
          }),
          status: oneOf(pullStates, { examples: ["running"] }),
          step: nullable(Type.String(), {
            description: "The last status of its stream",
            examples: ["downloading"],
          }),
          started_at: timeSchema,
          ended_at: nullable(Type.String({ format: "date-time" }), { examples: [null] }),
          total: nullable(Type.Number(), {
            description: "Bytes of the layers that Ollama has told of so far",
            examples: [4_108_916_992],
          }),
          completed: nullable(Type.Number(), {
            description: "Bytes that are there, those that were there before included",
            examples: [1_027_229_248],
          }),
          rate_bytes_per_second: nullable(Type.Number(), {
            description: "Over the last ten seconds; null while that can't be said",
            examples: [52_428_800],
          }),
          seconds_left: nullable(Type.Number(), {
            description: "At that speed, for what is told of so far",
            examples: [59],
          }),
          error: nullable(Type.String(), { examples: [null] }),
        }),
        { description: "Those that run first, then those that are over, newest first each" },
      ),
    },
    { description: "This server's pulls" },
  ),
  PullNotFound: Type.Object(
    {
      detail: Type.String({ examples: ["Not found"] }),
      error: Type.String({ examples: ['there is no pull "pull_019ab2c4"'] }),
    },
    { description: "There is no such pull" },
  ),
  LibraryPage: Type.Object(
    {
      models: Type.Array(
        Type.Object({
          name: Type.String({ examples: ["llama3.2"] }),
          description: Type.String({
            examples: ["Meta's small Llama models for conversation and summaries, 1B and 3B."],
          }),
          sizes: Type.Array(Type.String(), { description: "Parameters", examples: [["1b", "3b"]] }),
          tags: Type.Array(Type.String(), {
            description:
              "What can follow the name in a pull, `llama3.2:3b`: a choice, without quantisations. From the list shipped with Corral, whoever answered; empty for models that it does not hold",
            examples: [["latest", "1b", "3b"]],
          }),
          capabilities: Type.Array(Type.String(), { examples: [["tools"]] }),
        }),
      ),
      total: Type.Integer({ description: "All that were found", examples: [1] }),
      source: oneOf(["ollama.com", "shipped"], {
        description: "Who answered: the site, or the list shipped with Corral",
        examples: ["shipped"],
      }),
      as_of: nullable(Type.String(), {
        description: "The day that the shipped list tells of, as YYYY-MM-DD; null when ollama.com answered",
        examples: [shipped.date],
      }),
    },
    { description: "Models that can be pulled" },
  ),
};
