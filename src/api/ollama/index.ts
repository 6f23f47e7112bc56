import { Elysia } from "elysia";
import type { EngineClient } from "../../engine/client";
import { canonicalModel, fullDigest, sayBytes } from "../../engine/models";
import type { PullStatus, Pulls } from "../../engine/pulls";
import type { Engine } from "../../engine/service";
import { failure } from "../../errors";
import { checkName } from "../../gateway/paths";
import {
  about,
  coerce,
  documented,
  doneModels,
  errorModels,
  errors,
  jsonBody,
  pageOf,
  pageQuery,
  streamed,
} from "../common";
import { nameOf } from "../models";
import type { Library } from "./library";
import { libraryQuery, ollamaModels } from "./model";

export interface OllamaParts {
  readonly engine: Engine;
  readonly client: EngineClient;
  readonly pulls: Pulls;
  readonly library: Library;
}

const tag = "Ollama";
const pullExample = `data: {"status":"pulling manifest"}

data: {"status":"downloading","digest":"sha256:...","total":1000000,"completed":250000}

data: {"status":"verifying checksum"}

data: {"status":"complete","message":"Successfully pulled neural-chat"}
`;

export function ollamaRoutes({ engine, client, pulls, library }: OllamaParts) {
  const remove = async ({ params }: { params: Record<string, string> }) => {
    const name = nameOf(params);
    await client.remove(name);
    return { success: true, message: `Model '${name}' deleted successfully` };
  };
  return new Elysia({ name: "ollama" })
    .model({ ...ollamaModels, ...doneModels, ...errorModels })
    .get("/api/ollama/models", async ({ query }) => ({ models: pageOf(await installed(client), query) }), {
      query: pageQuery,
      transform: coerce(pageQuery),
      response: { 200: "InstalledModels", ...errors.invalid, ...errors.engine },
      detail: about(tag, "List installed models", "What Ollama has, in its own order."),
    })
    .post(
      "/api/ollama/pull",
      ({ body, request, server }) => {
        const model = body.model ?? body.name;
        if (model === undefined)
          throw failure.invalid("model parameter is required: it takes a model's name such as llama3.2");
        checkName(model);
        if (engine.state !== "ready") throw failure.engineDown(engine.why ?? "Ollama does not answer");
        // A pull is silent while it verifies.
        server?.timeout(request, 0);
        return eventStream(pulls.follow(model, body.insecure ?? false));
      },
      {
        body: "PullRequest",
        parse: jsonBody(ollamaModels.PullRequest),
        detail: {
          ...about(
            tag,
            "Pull a model",
            "Pulls a model and streams its progress as Server-Sent Events. The pull belongs to the server: a client that leaves does not stop it, and a second pull of the same model attaches to the first. A failure is an event with status `error` and a `message`.",
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
    .delete("/api/ollama/models/:name", remove, {
      response: { 200: "Done", ...errors.invalid, ...errors.unknownModel, ...errors.engine },
      detail: about(
        tag,
        "Delete a model",
        "Deletes an installed model and frees its disk space. The name may hold slashes, encoded or plain.",
        "deletes",
      ),
    })
    .delete("/api/ollama/models/*", remove, { detail: { hide: true } })
    .get(
      "/api/ollama/library",
      ({ query }) => library.search(query.q ?? "", query.limit ?? 100, query.offset ?? 0),
      {
        query: libraryQuery,
        transform: coerce(libraryQuery),
        response: { 200: "LibraryPage", ...errors.invalid },
        detail: about(
          tag,
          "Search model library",
          "Models that can be pulled: from ollama.com when it answers within 3 s, else from the list shipped with Corral; `source` says which.",
        ),
      },
    );
}

async function installed(client: EngineClient) {
  return (await client.models()).map((model) => ({
    name: canonicalModel(model.name),
    size: sayBytes(model.size ?? 0),
    modified_at: utc(model.modified_at),
    digest: fullDigest(model.digest ?? ""),
    size_bytes: model.size ?? 0,
    family: model.details?.family ?? "",
    parameter_size: model.details?.parameter_size ?? "",
    quantization_level: model.details?.quantization_level ?? "",
  }));
}

/** Ollama says its times in the machine's zone. */
function utc(time: string | undefined): string {
  const at = new Date(time ?? 0);
  return (Number.isNaN(at.getTime()) ? new Date(0) : at).toISOString();
}

function eventStream(statuses: AsyncGenerator<PullStatus>): Response {
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await statuses.next();
        if (next.done) controller.close();
        else controller.enqueue(encoder.encode(`data: ${JSON.stringify(next.value)}\n\n`));
      },
      async cancel() {
        await statuses.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
  });
}
