/** The API's document as a list of operations, and whether an answer is one of those that it promises. */
import { faultsOf, isObject } from "../api/schemas";
import { events, lines } from "../gateway/asking";

export type Resolve = (ref: string) => unknown;

export interface Parameter {
  readonly name: string;
  readonly where: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: Record<string, unknown>;
}

export interface Operation {
  /** Such as "PUT /api/models/repository/{name}". */
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Null where it takes no JSON. */
  readonly body: { readonly schema: Record<string, unknown>; readonly example: unknown } | null;
  readonly responses: Record<string, unknown>;
}

export interface Document {
  readonly operations: readonly Operation[];
  readonly resolve: Resolve;
}

/** @throws Error for a document that is none, or holds a kind of parameter that nobody here can send */
export function readDocument(json: unknown): Document {
  if (!isObject(json) || !isObject(json.paths)) throw new Error("no document");
  const resolve: Resolve = (ref) =>
    ref
      .split("/")
      .slice(1)
      .reduce<unknown>((at, part) => (isObject(at) ? at[part] : undefined), json);
  const operations = Object.entries(json.paths).flatMap(([path, methods]) =>
    Object.entries(asObject(methods)).map(([method, operation]) =>
      readOperation(method.toUpperCase(), path, asObject(operation), resolve),
    ),
  );
  return { operations, resolve };
}

function readOperation(
  method: string,
  path: string,
  { parameters, requestBody, responses }: Record<string, unknown>,
  resolve: Resolve,
): Operation {
  const json = isObject(requestBody) ? asObject(requestBody.content)["application/json"] : null;
  const media = isObject(json) ? json : null;
  return {
    title: `${method} ${path}`,
    method,
    path,
    parameters: (Array.isArray(parameters) ? parameters : []).map((one) => readParameter(asObject(one))),
    body: media && { schema: follow(media.schema, resolve), example: media.example },
    responses: asObject(responses),
  };
}

function readParameter({ name, in: where, required, schema }: Record<string, unknown>): Parameter {
  if (where !== "path" && where !== "query" && where !== "header")
    throw new Error(`a parameter in ${JSON.stringify(where)}, which nobody here can send`);
  return { name: String(name), where, required: required === true, schema: asObject(schema) };
}

/** A schema, or the one that its $ref points at. */
export function follow(schema: unknown, resolve: Resolve): Record<string, unknown> {
  const { $ref, ...rest } = asObject(schema);
  return typeof $ref === "string" ? follow(resolve($ref), resolve) : rest;
}

function asObject(value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw new Error(`not an object: ${JSON.stringify(value)}`);
  return value;
}

/** @returns what of an answer is not as the operation's documentation says, one line a fault */
export function undocumented(
  { responses }: Operation,
  { status, type, text }: { readonly status: number; readonly type: string | null; readonly text: string },
  resolve: Resolve,
): string[] {
  const response = responses[status];
  if (!isObject(response)) return [`status ${status} is not documented`];
  if (!isObject(response.content)) return [];
  const plain = type?.split(";")[0] ?? "";
  const media = response.content[plain];
  if (!isObject(media)) return [`content type ${type} is not documented for ${status}`];
  try {
    if (plain === "text/event-stream") events(text);
    else if (plain === "application/x-ndjson") lines(text);
    else if (plain === "application/json") return faultsOf(JSON.parse(text), media.schema, resolve);
  } catch (error) {
    return [`a body that is no ${plain}: ${error}`];
  }
  return [];
}
