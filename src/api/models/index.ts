import { Elysia } from "elysia";
import type { Database } from "../../database/database";
import type { EngineClient } from "../../engine/client";
import { canonicalModel } from "../../engine/models";
import { failure } from "../../errors";
import { checkName, readName } from "../../gateway/paths";
import { means } from "../../ledger/read/figures";
import { readModels } from "../../ledger/read/statistics";
import { about, coerce, doneModels, errorModels, errors, jsonBody, pageOf, pageQuery } from "../common";
import type { Library } from "../ollama/library";
import { type NewRepositoryModel, type RepositoryChanges, repositoryModels } from "./model";
import { addModel, changeModel, findModel, listModels, removeModel, syncModels } from "./repository";

export interface RepositoryParts {
  readonly database: Database;
  readonly client: EngineClient;
  readonly library: Library;
}

const tag = "Model repository";

export function repositoryRoutes(parts: RepositoryParts) {
  const { database } = parts;
  const details = async ({ params }: { params: Record<string, string> }) =>
    modelDetails(database, nameOf(params));
  const change = async ({ params, body }: { params: Record<string, string>; body: RepositoryChanges }) => {
    const name = nameOf(params);
    if (!(await changeModel(database, name, body))) throw unknown(name);
    return { success: true, message: "Model updated successfully" };
  };
  const remove = async ({ params }: { params: Record<string, string> }) => {
    const name = nameOf(params);
    if (!(await removeModel(database, name))) throw unknown(name);
    return { success: true, message: `Model '${name}' removed from the repository` };
  };
  return (
    new Elysia({ name: "repository" })
      .model({ ...repositoryModels, ...doneModels, ...errorModels })
      .get(
        "/api/models/repository",
        async ({ query }) => ({ models: pageOf(await listModels(database), query) }),
        {
          query: pageQuery,
          transform: coerce(pageQuery),
          response: { 200: "RepositoryModels", ...errors.invalid, ...errors.server },
          detail: about(tag, "Get all repository models", "Every model with people's preferences."),
        },
      )
      .post(
        "/api/models/repository",
        ({ body, set }) => {
          set.status = 201;
          return add(database, body);
        },
        {
          body: "NewRepositoryModel",
          parse: jsonBody(repositoryModels.NewRepositoryModel),
          response: {
            201: "RepositoryModel",
            ...errors.invalid,
            ...errors.conflict,
            ...errors.tooLarge,
            ...errors.server,
          },
          detail: about(
            tag,
            "Add a model",
            "Adds a model, installed or not. A name that exists is 409.",
            "changes",
          ),
        },
      )
      .post("/api/models/repository/sync", () => sync(parts), {
        response: { 200: "RepositorySync", ...errors.server, ...errors.engine },
        detail: about(
          tag,
          "Sync with installed models",
          "Adds what is installed and unknown, marks what is gone; people's descriptions stay.",
          "changes",
        ),
      })
      .get("/api/models/repository/:name", details, {
        response: {
          200: "RepositoryModelDetails",
          ...errors.invalid,
          ...errors.unknownModel,
          ...errors.server,
        },
        detail: about(
          tag,
          "Get model details",
          "A model with its use. The name may hold slashes, encoded or plain.",
        ),
      })
      .put("/api/models/repository/:name", change, {
        body: "RepositoryChanges",
        parse: jsonBody(repositoryModels.RepositoryChanges),
        response: {
          200: "Done",
          ...errors.invalid,
          ...errors.unknownModel,
          ...errors.tooLarge,
          ...errors.server,
        },
        detail: about(
          tag,
          "Update a model",
          "Changes what is given: favourite, default, description, tags.",
          "changes",
        ),
      })
      .delete("/api/models/repository/:name", remove, {
        response: { 200: "Done", ...errors.invalid, ...errors.unknownModel, ...errors.server },
        detail: about(
          tag,
          "Remove a model",
          "Forgets the preferences. The installed model stays.",
          "deletes",
        ),
      })
      // The same for names with plain slashes, which the router takes for more path.
      .get("/api/models/repository/*", details, { detail: { hide: true } })
      .put("/api/models/repository/*", change, {
        body: "RepositoryChanges",
        parse: jsonBody(repositoryModels.RepositoryChanges),
        detail: { hide: true },
      })
      .delete("/api/models/repository/*", remove, { detail: { hide: true } })
  );
}

async function modelDetails(database: Database, name: string) {
  const model = await findModel(database, name);
  if (!model) throw unknown(name);
  const used = (await readModels(database)).find((row) => row.model === name);
  const average = used ? means(used).avg_latency_ms : null;
  return { ...model, stats: { total_requests: used?.requests ?? 0, avg_latency_ms: average } };
}

async function add(database: Database, { name, model_name, ...fields }: NewRepositoryModel) {
  const given = name ?? model_name;
  if (given === undefined)
    throw failure.invalid("name parameter is required: it takes a model's name such as llama3.2");
  checkName(given);
  const canonical = canonicalModel(given);
  const model = await addModel(database, canonical, fields);
  if (!model) throw failure.conflict(`model '${canonical}' is in the repository already: change it with PUT`);
  return model;
}

async function sync({ database, client, library }: RepositoryParts) {
  const installed = [...new Set((await client.models()).map((model) => canonicalModel(model.name)))];
  const { added, updated, removed } = await syncModels(database, installed, (name) => library.describe(name));
  return {
    success: true,
    message: `${added.length} added, ${updated.length} updated, ${removed.length} no longer installed`,
    added,
    updated,
    removed,
    models: await listModels(database),
  };
}

/** The name at the end of a path: the router has decoded it, `*` where it held slashes. */
export function nameOf(params: Record<string, string>): string {
  const name = params.name ?? readName(params["*"] ?? "");
  checkName(name);
  return canonicalModel(name);
}

function unknown(name: string) {
  return failure.modelNotFound(
    name,
    `model '${name}' is not in the repository: add it with POST /api/models/repository`,
  );
}
