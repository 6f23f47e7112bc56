/** Ollama's own JSON, as far as Corral reads it. Every field that Ollama may leave out is optional here. */
import { type Static, Type } from "@sinclair/typebox";

const looseObject = { additionalProperties: true };

export const versionSchema = Type.Object({ version: Type.String() }, looseObject);

const modelSchema = Type.Object(
  {
    name: Type.String(),
    modified_at: Type.Optional(Type.String()),
    size: Type.Optional(Type.Number()),
    digest: Type.Optional(Type.String()),
    capabilities: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
    details: Type.Optional(
      Type.Object(
        {
          family: Type.Optional(Type.String()),
          parameter_size: Type.Optional(Type.String()),
          quantization_level: Type.Optional(Type.String()),
        },
        looseObject,
      ),
    ),
  },
  looseObject,
);
export type Model = Static<typeof modelSchema>;

export const tagsSchema = Type.Object(
  { models: Type.Union([Type.Array(modelSchema), Type.Null()]) },
  looseObject,
);

const loadedModelSchema = Type.Object(
  {
    name: Type.String(),
    expires_at: Type.Optional(Type.String()),
    context_length: Type.Optional(Type.Number()),
    size: Type.Optional(Type.Number()),
    size_vram: Type.Optional(Type.Number()),
  },
  looseObject,
);
export type LoadedModel = Static<typeof loadedModelSchema>;

export const loadedSchema = Type.Object(
  { models: Type.Union([Type.Array(loadedModelSchema), Type.Null()]) },
  looseObject,
);

export const generateReplySchema = Type.Object(
  {
    model: Type.String(),
    response: Type.String(),
    done: Type.Boolean(),
    done_reason: Type.Optional(Type.String()),
    total_duration: Type.Optional(Type.Number({ description: "ns" })),
    load_duration: Type.Optional(Type.Number({ description: "ns" })),
    prompt_eval_count: Type.Optional(Type.Number()),
    prompt_eval_duration: Type.Optional(Type.Number({ description: "ns" })),
    eval_count: Type.Optional(Type.Number()),
    eval_duration: Type.Optional(Type.Number({ description: "ns" })),
  },
  looseObject,
);
export type GenerateReply = Static<typeof generateReplySchema>;

export const progressSchema = Type.Object(
  {
    status: Type.Optional(Type.String()),
    digest: Type.Optional(Type.String()),
    total: Type.Optional(Type.Number()),
    completed: Type.Optional(Type.Number()),
    error: Type.Optional(Type.String()),
  },
  looseObject,
);
export type Progress = Static<typeof progressSchema>;

export const errorSchema = Type.Object({ error: Type.String() }, looseObject);

/** A text as JSON, or undefined where it is none: what an engine answers is checked by its schema afterwards. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
