/** Routes about models that are not inference: version, tags, ps, show, copy, delete, blobs. */
import { createHash } from "node:crypto";
import { findModel } from "./ask";
import { Refusal, readBody, textOf } from "./body";
import { jsonResponse } from "./faults";
import { fullName, isValidName, listed, type Model, shown } from "./models";
import type { World } from "./world";

export const version = "0.0.0-simulator";

/** GET /api/tags */
export function tags(world: World): Response {
  return jsonResponse({ models: world.shelf.list().map(listed) });
}

/** GET /api/ps */
export function ps(world: World): Response {
  return jsonResponse({ models: world.memory.list() });
}

/** POST /api/show */
export async function show(world: World, request: Request): Promise<Response> {
  const { fields } = await readBody(request, "api.ShowRequest", { model: "string", name: "string" });
  const name = textOf(fields.model) || textOf(fields.name);
  return jsonResponse(shown(findShown(world, name)));
}

/** Finds a model to show, which is called by its full name from there on. @throws Refusal, BadBehaviour */
export function findShown(world: World, name: string): Model {
  return findModel(world, name && fullName(name), new Refusal(400, "model is required"));
}

/** POST /api/copy */
export async function copy(world: World, request: Request): Promise<Response> {
  const { fields } = await readBody(request, "api.CopyRequest", { source: "string", destination: "string" });
  const source = textOf(fields.source);
  const destination = textOf(fields.destination);
  if (!isValidName(source)) throw new Refusal(400, `source ${JSON.stringify(source)} is invalid`);
  if (!isValidName(destination))
    throw new Refusal(400, `destination ${JSON.stringify(destination)} is invalid`);
  const model = world.shelf.find(source);
  if (!model) throw new Refusal(404, `model ${JSON.stringify(source)} not found`);
  world.shelf.add(destination, model, Date.now());
  return new Response(null);
}

/** DELETE /api/delete */
export async function remove(world: World, request: Request): Promise<Response> {
  const { fields } = await readBody(request, "api.DeleteRequest", { model: "string", name: "string" });
  const name = textOf(fields.model) || textOf(fields.name);
  if (!isValidName(name)) throw new Refusal(400, `name ${JSON.stringify(name)} is invalid`);
  if (!world.shelf.remove(name)) throw new Refusal(404, `model '${name}' not found`);
  return new Response(null);
}

const digestPattern = /^sha256[:-][\da-f]{64}$/;

/** HEAD and POST /api/blobs/:digest */
export function blobs() {
  const known = new Set<string>();
  return {
    head(digest: string): Response {
      if (!digestPattern.test(digest)) throw new Refusal(400, "invalid digest format");
      if (!known.has(digest)) throw new Refusal(404, `blob ${JSON.stringify(digest)} not found`);
      return new Response(null);
    },

    async create(digest: string, request: Request): Promise<Response> {
      if (!digestPattern.test(digest)) throw new Refusal(400, "invalid digest format");
      if (known.has(digest)) return new Response(null);
      const hash = createHash("sha256");
      for await (const chunk of request.body ?? []) hash.update(chunk);
      const actual = `sha256:${hash.digest("hex")}`;
      if (actual !== digest.replace("-", ":")) {
        throw new Refusal(
          400,
          `digest mismatch, expected ${JSON.stringify(digest)}, got ${JSON.stringify(actual)}`,
        );
      }
      known.add(digest);
      return new Response(null, { status: 201 });
    },
  };
}
