/**
 * The plug-in's document is not valid OpenAPI as it comes (traps.md): schemas carry TypeBox's own words and `$id`s that
 * are no URLs, responses lack descriptions. This mends the kinds of fault, wherever they stand.
 */
import { STATUS_CODES } from "node:http";
import { useMark } from "../common";

/** @returns the document, mended; what is no object is answered as it is */
export function tidy(document: unknown): unknown {
  if (!isObject(document)) return document;
  const mended = mend(document);
  if (!isObject(mended) || !isObject(mended.paths)) return mended;
  for (const path of Object.values(mended.paths)) {
    if (!isObject(path)) continue;
    for (const operation of Object.values(path)) if (isObject(operation)) describe(operation, mended);
  }
  return mended;
}

/** JSON is what TypeBox's symbols and undefined fields don't survive; the rest is by name. */
function mend(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mend);
  if (!isObject(value)) return value;
  const out: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    // `$id` names a component for TypeBox; in the document it would be a relative URL that moves every $ref.
    if (field === undefined || name === "$id") continue;
    out[name] = mend(field);
  }
  return asEnum(out);
}

/** A choice of words as every tool knows it: the page makes a list to pick from of it. */
function asEnum({ anyOf, ...rest }: Record<string, unknown>): Record<string, unknown> {
  if (!Array.isArray(anyOf)) return anyOf === undefined ? rest : { ...rest, anyOf };
  const words = anyOf.map((one: unknown) => (isObject(one) ? one.const : undefined));
  if (!words.every((word) => typeof word === "string")) return { ...rest, anyOf };
  return { type: "string", enum: words, ...rest };
}

/** What every operation may answer, and none says of itself. */
const everywhere = { 403: "Forbidden", 500: "ServerError" };

function describe(operation: Record<string, unknown>, document: Record<string, unknown>): void {
  const guarded = operation[useMark] !== undefined;
  // Where Corral listens on loopback alone none is needed: the empty one says so.
  if (guarded) operation.security = [{ adminKey: [] }, {}];
  if (isObject(operation.responses)) {
    const shared = guarded ? { 401: "Unauthorized", ...everywhere } : everywhere;
    for (const [status, model] of Object.entries(shared)) {
      const $ref = `#/components/schemas/${model}`;
      const found = resolve($ref, document);
      operation.responses[status] ??= {
        description: isObject(found) ? found.description : model,
        content: { "application/json": { schema: { $ref } } },
      };
    }
    for (const [status, response] of Object.entries(operation.responses)) {
      if (!isObject(response)) continue;
      response.description ||= STATUS_CODES[status] ?? `Status ${status}`;
      keepJson(response);
    }
  }
  // Bun's own answer, which passes nobody here: a text that its parameter allows can be that long once it is encoded.
  if (Array.isArray(operation.parameters) && isObject(operation.responses))
    operation.responses[431] ??= { description: "The URL and the headers together are longer than 16 KiB" };
  if (isObject(operation.requestBody)) keepJson(operation.requestBody);
  if (Array.isArray(operation.parameters)) {
    for (const parameter of operation.parameters) {
      if (!isObject(parameter) || !isObject(parameter.schema)) continue;
      // Of a parameter, `examples` is a map; what the plug-in copies there is a schema's list.
      if (Array.isArray(parameter.examples)) {
        parameter.schema.examples = parameter.examples;
        delete parameter.examples;
      }
      if (parameter.in !== "path" || parameter.name !== "name") continue;
      parameter.description ??=
        "A model's name, such as llama3.2 or hf.co/owner/model:Q4_K_M; slashes may stand plain";
      parameter.schema = { type: "string", minLength: 1, maxLength: 350, examples: ["llama3.2"] };
    }
  }
  exampleOf(operation, document);
}

/** The plug-in offers every body as a form and as plain text too; the API takes and gives JSON. */
function keepJson(holder: Record<string, unknown>): void {
  const { content } = holder;
  if (!isObject(content) || content["application/json"] === undefined) return;
  for (const type of ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])
    delete content[type];
}

/** Puts an example beside each schema that has none of its own, made of its fields' examples. */
function exampleOf(operation: Record<string, unknown>, document: Record<string, unknown>): void {
  const holders = [
    operation.requestBody,
    ...(isObject(operation.responses) ? Object.values(operation.responses) : []),
  ];
  for (const holder of holders) {
    if (!isObject(holder) || !isObject(holder.content)) continue;
    for (const media of Object.values(holder.content)) {
      if (isObject(media) && media.example === undefined) media.example = sample(media.schema, document);
    }
  }
}

/** What a $ref of the document points at. */
function resolve(ref: string, document: Record<string, unknown>): unknown {
  return ref
    .split("/")
    .slice(1)
    .reduce<unknown>((at, part) => (isObject(at) ? at[part] : undefined), document);
}

/** A value that a schema allows, from the examples in it. */
function sample(schema: unknown, document: Record<string, unknown>): unknown {
  if (!isObject(schema)) return null;
  if (typeof schema.$ref === "string") return sample(resolve(schema.$ref, document), document);
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  if (Array.isArray(schema.anyOf)) return sample(schema.anyOf[0], document);
  if (schema.type === "array") return [sample(schema.items, document)];
  if (schema.type === "object" && isObject(schema.properties)) {
    const required = Array.isArray(schema.required) ? schema.required : [];
    return Object.fromEntries(
      Object.entries(schema.properties)
        .filter(
          ([name, property]) =>
            required.includes(name) || (isObject(property) && Array.isArray(property.examples)),
        )
        .map(([name, property]) => [name, sample(property, document)]),
    );
  }
  return schema.type === "object" ? {} : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
