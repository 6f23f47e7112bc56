import { Type } from "@sinclair/typebox";
import { phases } from "../../gateway/active";
import { phaseNames } from "../../ledger/read/request";
import { nullable, oneOf, timeSchema } from "../common";
import { entryProperties } from "../stats/logs/model";

const activeRequest = Type.Object({
  id: Type.String({ examples: ["req_019ab2c4-6f10-7000-8000-000000000001"] }),
  started_at: timeSchema,
  model: nullable(Type.String(), { examples: ["llama3.2"] }),
  dialect: Type.String({ examples: ["ollama.chat"] }),
  operation: Type.String({ examples: ["chat"] }),
  stream: Type.Boolean({ examples: [true] }),
  client_ip: nullable(Type.String(), { examples: ["192.168.1.100"] }),
  user_agent: nullable(Type.String(), { examples: ["ollama-python/0.6.1"] }),
  user: nullable(Type.String(), { examples: ["ada@example.org"] }),
  phase: oneOf(phases, {
    description:
      "As far as can be seen from outside Ollama. waiting: another request of the model is being answered; loading: the model; prefill: the prompt is read; generating: the first piece has come",
    examples: ["generating"],
  }),
  seconds: Type.Number({ description: "Since it came", examples: [3.2] }),
  tokens: Type.Integer({
    description: "Pieces of the reply so far, which are about as many tokens",
    examples: [42],
  }),
});

export const requestParams = Type.Object({
  id: Type.String({
    minLength: 1,
    maxLength: 100,
    description: "A request's id",
    examples: ["req_019ab2c4-6f10-7000-8000-000000000001"],
  }),
});

export const requestModels = {
  ActiveRequests: Type.Object(
    { requests: Type.Array(activeRequest, { description: "Oldest first" }) },
    { description: "The recorded requests that are running" },
  ),
  Request: Type.Object(
    {
      ...entryProperties,
      system: nullable(Type.String(), { description: "The last system prompt", examples: [null] }),
      messages: Type.Unknown({
        description:
          "As the client sent them, but for images and files, of which type, size and digest are kept; null for a bare prompt",
        examples: [[{ role: "user", content: "What is Python?" }]],
      }),
      options: Type.Unknown({
        description: "What else the client asked for",
        examples: [{ temperature: 0.7 }],
      }),
      tool_calls: Type.Unknown({ description: "What the model asked tools for", examples: [null] }),
      phases: Type.Array(
        Type.Object({
          phase: oneOf(phaseNames, { examples: ["prefill"] }),
          ms: Type.Number({ examples: [10] }),
          source: oneOf(["engine", "measured"], {
            description: "engine: Ollama's own count; measured: by Corral",
            examples: ["engine"],
          }),
        }),
        {
          description:
            "The parts of its time that are known. client_wait: the reply waited for its client to read",
          examples: [[{ phase: "prefill", ms: 10, source: "engine" }]],
        },
      ),
      engine_version: nullable(Type.String(), { description: "Of Ollama", examples: ["0.33.0"] }),
      engine_run: nullable(Type.Integer(), {
        description: "Which start of Ollama since Corral's: it grows with each restart",
        examples: [1],
      }),
      key: nullable(Type.String(), { description: "The key that it came with", examples: [null] }),
    },
    { description: "A request in full" },
  ),
  RequestNotFound: Type.Object(
    {
      detail: Type.String({ examples: ["Not found"] }),
      error: Type.String({ examples: ['no request "req_019ab2c4" is running: it may have ended'] }),
    },
    { description: "No such request" },
  ),
};
