import { Elysia } from "elysia";
import { contractChatSchema } from "../../gateway/dialects/contract/chat";
import { about, documented, errorModels, streamed } from "../common";

const example = `data: {"token":"Quantum","latency_ms":150}

data: {"token":" computing","latency_ms":200}

data: {"token":"[DONE]","latency_ms":0,"total_tokens":150}
`;

/** @param carry hands the request to the gateway, which reads its body itself */
export function chatRoutes(carry: (request: Request, clientAddress: string | null) => Promise<Response>) {
  return new Elysia({ name: "chat" })
    .model({ Chat: contractChatSchema, ...errorModels })
    .post("/api/chat", ({ request, server }) => carry(request, server?.requestIP(request)?.address ?? null), {
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
          content: { "application/json": { schema: { $ref: "#/components/schemas/Chat" } } },
        },
        responses: {
          200: streamed("text/event-stream", "Tokens, one event each", example),
          400: documented("The request can't be carried out as it stands", "InvalidRequest"),
          404: documented("No such model", "ModelNotFound"),
          413: documented("The body is too large", "TooLarge"),
          502: documented("Ollama went away, or answered with an error", "EngineError"),
          503: documented("Ollama is away", "EngineError"),
        },
      },
    });
}
