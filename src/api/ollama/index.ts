import { Elysia } from "elysia";
import type { EngineClient } from "../../engine/client";
import { canonicalModel, fullDigest, sayBytes } from "../../engine/models";
import { onRecord } from "../../ledger/event";
import type { Ledger } from "../../ledger/ledger";
import { about, coerce, doneModels, errorModels, errors, pageOf, pageQuery, type WhoAsks } from "../common";
import { nameOf } from "../models";
import type { Library } from "./library";
import { libraryQuery, ollamaModels } from "./model";
import { type PullParts, pullRoutes } from "./pulls";

export interface OllamaParts extends PullParts {
  readonly client: EngineClient;
  readonly library: Library;
  readonly ledger: Ledger;
}

interface DeleteContext {
  readonly params: Record<string, string>;
  readonly request: Request;
  readonly server: Parameters<WhoAsks>[1];
}

const tag = "Ollama";

export function ollamaRoutes(parts: OllamaParts) {
  const { client, library, ledger, who } = parts;
  const remove = async ({ params, request, server }: DeleteContext) => {
    const name = nameOf(params);
    const begun = {
      action: "delete" as const,
      model: name,
      source: null,
      insecure: null,
      path: "/api/ollama/models/{name}",
      ...who(request, server),
    };
    await onRecord(ledger.event, begun, () => client.remove(name));
    return { success: true, message: `Model '${name}' deleted successfully` };
  };
  return new Elysia({ name: "ollama" })
    .model({ ...ollamaModels, ...doneModels, ...errorModels })
    .use(pullRoutes(parts))
    .get("/api/ollama/models", async ({ query }) => ({ models: pageOf(await installed(client), query) }), {
      query: pageQuery,
      transform: coerce(pageQuery),
      response: { 200: "InstalledModels", ...errors.invalid, ...errors.engine },
      detail: about(tag, "List installed models", "What Ollama has, in its own order."),
    })
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
    capabilities: model.capabilities ?? null,
  }));
}

/** Ollama says its times in the machine's zone. */
function utc(time: string | undefined): string {
  const at = new Date(time ?? 0);
  return (Number.isNaN(at.getTime()) ? new Date(0) : at).toISOString();
}
