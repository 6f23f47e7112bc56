import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { contractChatSchema } from "../../gateway/dialects/contract/chat";
import { about, errorModels, oneOf, streamed } from "../common";

const example = `data: {"token":"Quantum","latency_ms":150}

data: {"token":" computing","latency_ms":200}

data: {"token":"[DONE]","latency_ms":0,"total_tokens":150}
`;

const lines = `{"model":"llama3.2","created_at":"2026-11-25T10:15:23Z","message":{"role":"assistant","content":"Quantum"},"done":false}
{"model":"llama3.2","created_at":"2026-11-25T10:15:24Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}
`;

/** Ollama's own chat has more fields than these, and passes unread. */
const ollamaModels = {
  OllamaChat: Type.Object(
    {
      model: Type.String({ description: "Name of an installed model", examples: ["llama3.2"] }),
      messages: Type.Array(
        Type.Object(
          {
            role: oneOf(["system", "user", "assistant", "tool"], { examples: ["user"] }),
            content: Type.String({ examples: ["Explain quantum computing"] }),
          },
          { additionalProperties: true },
        ),
        { description: "The conversation so far" },
      ),
      stream: Type.Optional(
        Type.Boolean({ description: "Whether it is answered piece by piece", examples: [true] }),
      ),
    },
    { description: "Ollama's own body, with whatever else Ollama takes", additionalProperties: true },
  ),
  OllamaReply: Type.Object(
    {
      model: Type.String({ examples: ["llama3.2"] }),
      message: Type.Object(
        {
          role: Type.String({ examples: ["assistant"] }),
          content: Type.String({ examples: ["Quantum..."] }),
        },
        { additionalProperties: true },
      ),
      done: Type.Boolean({ examples: [true] }),
    },
    { description: "Ollama's own reply, with its own durations and counts", additionalProperties: true },
  ),
  OllamaError: Type.Object(
    { error: Type.String({ examples: ["model 'unknown_model' not found"] }) },
    { description: "An error in Ollama's words, where the body was Ollama's own" },
  ),
};
const reference = (model: string) => ({ $ref: `#/components/schemas/${model}` });

/** An error of either chat. */
function refused(description: string, model: string) {
  const schema = { anyOf: [reference(model), reference("OllamaError")] };
  return { description, content: { "application/json": { schema } } };
}

/** @param carry hands the request to the gateway, which reads its body itself */
export function chatRoutes(
  carry: (
    request: Request,
    server: Pick<Bun.Server<unknown>, "requestIP" | "timeout"> | null,
  ) => Promise<Response>,
) {
  return new Elysia({ name: "chat" })
    .model({ Chat: contractChatSchema, ...ollamaModels, ...errorModels })
    .post("/api/chat", ({ request, server }) => carry(request, server), {
      // A schema here would read the body, and the gateway must have it as it came.
      parse: "none",
      detail: {
        ...about(
          "Chat",
          "Chat",
          "A body with `prompt` and without `messages` is answered with Server-Sent Events, one a token; `latency_ms` is the time since the token before it, of the first since the request. An error in the middle is an event with `error` and `detail`, and no `[DONE]` follows. Any other body is Ollama's own `/api/chat` and passes through, NDJSON and all.",
        ),
        requestBody: {
          required: true,
          content: {
            "application/json": { schema: { anyOf: [reference("Chat"), reference("OllamaChat")] } },
          },
        },
        responses: {
          200: {
            description:
              "Tokens, one event each; lines of JSON, or one object, where the body was Ollama's own",
            content: {
              ...streamed("text/event-stream", "", example).content,
              ...streamed("application/x-ndjson", "", lines).content,
              "application/json": { schema: reference("OllamaReply") },
            },
          },
          400: refused("The request can't be carried out as it stands", "InvalidRequest"),
          404: refused("No such model", "ModelNotFound"),
          413: refused("The body is too large", "TooLarge"),
          502: refused("Ollama went away, or answered with an error", "EngineError"),
          503: refused("Ollama is away", "EngineError"),
        },
      },
    });
}
