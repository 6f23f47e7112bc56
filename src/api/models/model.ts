import { type Static, Type } from "@sinclair/typebox";
import { nullable, timeSchema } from "../common";

const name = Type.String({
  minLength: 1,
  maxLength: 350,
  description: "Canonical name, without :latest",
  examples: ["llama3.2"],
});
const description = Type.String({
  maxLength: 2000,
  description: "What people note about it",
  examples: ["A fast and capable LLM"],
});
const flag = (text: string) => Type.Boolean({ description: text, examples: [true] });
const tags = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
  maxItems: 100,
  description: "Words to find it by",
  examples: [["fast", "capable"]],
});

const repositoryModel = {
  name,
  description,
  is_favorite: flag("Whether people marked it"),
  is_default: flag("Whether it is the one to take; at most one is"),
  tags,
  created_at: timeSchema,
  updated_at: timeSchema,
  is_installed: flag("Whether Ollama had it at the last sync"),
};

const changes = {
  description: Type.Optional(description),
  tags: Type.Optional(tags),
  is_favorite: Type.Optional(flag("Whether people marked it")),
  is_default: Type.Optional(flag("Whether it is the one to take: it is taken from the other")),
};

export const repositoryModels = {
  RepositoryModel: Type.Object(repositoryModel, { description: "A model with people's preferences" }),
  RepositoryModels: Type.Object(
    { models: Type.Array(Type.Object(repositoryModel)) },
    { description: "All models of the repository, by name" },
  ),
  RepositoryModelDetails: Type.Object(
    {
      ...repositoryModel,
      stats: Type.Object(
        {
          total_requests: Type.Number({ examples: [25] }),
          avg_latency_ms: nullable(Type.Number(), {
            description: "Mean latency of successes, ms",
            examples: [1150],
          }),
        },
        { description: "How it was used, over all metrics kept" },
      ),
    },
    { description: "A model with people's preferences and its use" },
  ),
  NewRepositoryModel: Type.Object(
    { name: Type.Optional(name), model_name: Type.Optional(name), ...changes },
    { description: "A model to add: `name`, or `model_name` for the same" },
  ),
  RepositoryChanges: Type.Object(changes, {
    description: "What to change; what is not given stays as it is",
  }),
  RepositorySync: Type.Object(
    {
      success: Type.Boolean({ examples: [true] }),
      message: Type.String({ examples: ["2 added, 0 updated, 1 no longer installed"] }),
      added: Type.Array(Type.String(), {
        description: "Installed and unknown until now",
        examples: [["mistral"]],
      }),
      updated: Type.Array(Type.String(), { description: "Known, and installed again", examples: [[]] }),
      removed: Type.Array(Type.String(), { description: "Known, and no longer installed", examples: [[]] }),
      models: Type.Array(Type.Object(repositoryModel)),
    },
    { description: "What a sync found" },
  ),
};

export type RepositoryModel = Static<(typeof repositoryModels)["RepositoryModel"]>;
export type RepositoryChanges = Static<(typeof repositoryModels)["RepositoryChanges"]>;
export type NewRepositoryModel = Static<(typeof repositoryModels)["NewRepositoryModel"]>;
