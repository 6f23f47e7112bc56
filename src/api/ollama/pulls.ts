/** Pulls that the server owns: begun or followed, listed, canceled. */
import { Elysia } from "elysia";
import type { Database } from "../../database/database";
import type { Following } from "../../engine/pull";
import type { Pulls } from "../../engine/pulls";
import type { Engine } from "../../engine/service";
import { failure } from "../../errors";
import { eventStream } from "../../gateway/dialects/sse";
import { checkName } from "../../gateway/paths";
import {
  about,
  coerce,
  documented,
  doneModels,
  errorModels,
  errors,
  jsonBody,
  streamed,
  type WhoAsks,
} from "../common";
import { ollamaModels, pullParams, pullsQuery } from "./model";
import { cancelPull, listPulls } from "./service";

export interface PullParts {
  readonly engine: Engine;
  readonly pulls: Pulls;
  readonly database: Database;
  /** This server's id: others on the database have pulls of their own. */
  readonly server: string;
  readonly who: WhoAsks;
}

const tag = "Ollama";
const pullExample = `data: {"status":"pulling manifest"}

data: {"status":"downloading","digest":"sha256:...","total":1000000,"completed":250000}

data: {"status":"verifying checksum"}

data: {"status":"complete","message":"Successfully pulled neural-chat"}
`;

export function pullRoutes(parts: PullParts) {
  const { engine, pulls, who } = parts;
  return new Elysia({ name: "pulls" })
    .model({ ...ollamaModels, ...doneModels, ...errorModels })
    .post(
      "/api/ollama/pull",
      ({ body, request, server }) => {
        const model = body.model ?? body.name;
        if (model === undefined)
          throw failure.invalid("model parameter is required: it takes a model's name such as llama3.2");
        checkName(model);
        // One that runs already waits for it, too.
        if (engine.state !== "ready" && !pulls.isPulling(model))
          throw failure.engineDown(engine.why ?? "Ollama does not answer");
        // A pull is silent while it verifies.
        server?.timeout(request, 0);
        return eventsOf(pulls.follow(model, body.insecure ?? false, who(request, server)));
      },
      {
        body: "PullRequest",
        parse: jsonBody(ollamaModels.PullRequest),
        detail: {
          ...about(
            tag,
            "Pull a model",
            "Pulls a model and streams its progress as Server-Sent Events. The pull belongs to the server: a client that leaves does not stop it, a second pull of the same model attaches to the first, one that Ollama dies under is tried again, and a restart of Corral resumes it. A failure is an event with status `error` and a `message`.",
            "changes",
          ),
          responses: {
            200: streamed("text/event-stream", "Progress, one event a step", pullExample),
            400: documented("No model's name", "InvalidRequest"),
            413: documented("The body is too large", "TooLarge"),
            503: documented("Ollama is away", "EngineError"),
          },
        },
      },
    )
    .get("/api/ollama/pulls", ({ query }) => listPulls(parts, query.limit ?? 100), {
      query: pullsQuery,
      transform: coerce(pullsQuery),
      response: { 200: "Pulls", ...errors.invalid, ...errors.server },
      detail: about(
        tag,
        "List pulls",
        "Pulls of this server's by /api/ollama/pull: those that run, with speed and time left, then those that are over, newest first each. To follow one, pull its model again.",
      ),
    })
    .delete(
      "/api/ollama/pulls/:id",
      async ({ params: { id } }) => {
        await cancelPull(parts, id);
        return { success: true, message: `Pull '${id}' canceled successfully` };
      },
      {
        params: pullParams,
        response: {
          200: "Done",
          ...errors.invalid,
          404: "PullNotFound",
          ...errors.conflict,
          ...errors.server,
        },
        detail: about(
          tag,
          "Cancel a pull",
          "Ends a pull that runs. What it had got stays until Ollama's next start, so that the same pull goes on from there. 409 for one that is over.",
          "changes",
        ),
      },
    );
}

function eventsOf(following: Following): Response {
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await following.next();
        if (next === null) controller.close();
        else controller.enqueue(encoder.encode(`data: ${JSON.stringify(next)}\n\n`));
      },
      cancel: () => following.leave(),
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, { headers: eventStream() });
}
