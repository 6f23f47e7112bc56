/** What the documented API shares: error bodies, times, and reading a query. */
import { KindGuard, type Static, type TObject, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Use } from "../access";
import type { Who } from "../engine/unfinished-pulls";
import { failure, quote } from "../errors";
import { contractBodyBytes, jsonOf, readBody } from "../gateway/body";
import { malformedJson, sayWrong } from "../schema";

export const timeSchema = Type.String({
  format: "date-time",
  description: "RFC 3339, UTC",
  examples: ["2026-11-25T10:15:23.000Z"],
});

export const nullable = <T extends TSchema>(
  schema: T,
  options: { description?: string; examples?: unknown[] } = {},
) => Type.Union([schema, Type.Null()], options);

/** One of some words. TypeBox's own union loses the words' type when they come as a list. */
export function oneOf<const T extends readonly string[]>(
  words: T,
  options: { description?: string; default?: T[number]; examples?: string[] } = {},
) {
  return Type.Unsafe<T[number]>(
    Type.Union(
      words.map((word) => Type.Literal(word)),
      options,
    ),
  );
}

/** Who asks, for the record. */
export type WhoAsks = (request: Request, server: Pick<Bun.Server<unknown>, "requestIP"> | null) => Who;

/** Where a route's documentation says what it does that not everybody may. */
export const useMark = "x-corral-use";

const detail = (example: string) => Type.String({ description: "The kind of error", examples: [example] });
const error = (example: string) =>
  Type.String({ description: "What happened, with which value, and what to do", examples: [example] });

export const errorModels = {
  InvalidRequest: Type.Object(
    { detail: detail("Invalid request parameters"), error: error("model parameter is required") },
    { description: "The request can't be carried out as it stands" },
  ),
  ModelNotFound: Type.Object(
    {
      detail: detail("Model not found"),
      error: error("model 'unknown_model' is not installed"),
      model: Type.String({ description: "The name that was asked for", examples: ["unknown_model"] }),
    },
    { description: "No such model" },
  ),
  Conflict: Type.Object(
    { detail: detail("Conflict"), error: error("model 'llama3.2' is in the repository already") },
    { description: "It does not go together with what is there" },
  ),
  TooLarge: Type.Object(
    {
      detail: detail("Request body too large"),
      error: error("the body is larger than the 64 MB that are taken here"),
    },
    { description: "The body is too large" },
  ),
  EngineError: Type.Object(
    { detail: detail("Ollama is not available"), error: error("Ollama is being started") },
    { description: "Ollama is away, went away, or answered with an error" },
  ),
  Unauthorized: Type.Object(
    { detail: detail("Unauthorized"), error: error(failure.unauthorized(false).message) },
    { description: "The admin key is missing or wrong" },
  ),
  Forbidden: Type.Object(
    {
      detail: detail("Forbidden"),
      error: error("pages of this Origin may not call: add it to CORS_ORIGINS"),
    },
    { description: "This Host or Origin may not call" },
  ),
  ServerError: Type.Object(
    { detail: detail("Internal server error"), error: error("Database connection failed") },
    { description: "Something behind the API does not work" },
  ),
} as const;

/** Deleting and changing answers this. */
export const doneModels = {
  Done: Type.Object(
    {
      success: Type.Boolean({ examples: [true] }),
      message: Type.String({ examples: ["Model updated successfully"] }),
    },
    { description: "What was done" },
  ),
};

/** The errors that a route can answer with, by status, for its `response`. */
export const errors = {
  invalid: { 400: "InvalidRequest" },
  unknownModel: { 404: "ModelNotFound" },
  conflict: { 409: "Conflict" },
  tooLarge: { 413: "TooLarge" },
  server: { 500: "ServerError" },
  engine: { 502: "EngineError", 503: "EngineError" },
} as const;

/** Turns a query's texts into what its schema takes; what can't be turned is left for validation to refuse. */
export function coerce(schema: TObject) {
  return ({ query }: { query: Record<string, unknown> }): void => {
    for (const [name, property] of Object.entries(schema.properties)) {
      const text = query[name];
      if (typeof text !== "string") continue;
      if (KindGuard.IsInteger(property) && /^-?\d{1,15}$/.test(text)) query[name] = Number(text);
      if (KindGuard.IsBoolean(property) && (text === "true" || text === "false"))
        query[name] = text === "true";
    }
  };
}

/**
 * Reads a JSON body, whatever its content type says: people send JSON with curl's form type.
 * Named by each route that has a body: as a hook for all it would read the gateway's as well.
 * @param schema what it takes; Elysia, which checks after this, fails itself on a value with a `toString` field
 * @throws Failure 400 with the place where the JSON breaks or the field that is wrong, 413
 */
export function jsonBody(schema: TSchema) {
  return async ({ request }: { request: Request }): Promise<unknown> => {
    const bytes = await readBody(request, contractBodyBytes);
    const body = jsonOf(bytes);
    if (body === undefined) throw malformedJson(bytes);
    // TypeBox would take a list for an object without fields.
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      throw failure.invalid(`the body is ${JSON.stringify(body).slice(0, 200)}: it takes a JSON object`);
    }
    const first = Value.Errors(schema, body).First();
    if (first) throw failure.invalid(sayWrong(first.path, first.value, first.schema));
    return body;
  };
}

/** The contract's paging, for lists that are whole unless asked otherwise. */
export const pageQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: "Most entries", examples: [50] }),
  ),
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000_000_000,
      description: "Entries to leave out first",
      examples: [0],
    }),
  ),
});

/** A page of a list. */
export function pageOf<T>(list: readonly T[], { limit, offset = 0 }: Static<typeof pageQuery>): T[] {
  return list.slice(offset, limit === undefined ? undefined : offset + limit);
}

/**
 * A route's part of the documentation.
 * @param use what not everybody may: it is in the document, and the guard in app.ts reads it from there
 */
export function about(tag: string, summary: string, description: string, use?: Use) {
  return { tags: [tag], summary, description, ...(use ? { [useMark]: use } : {}) };
}

/** A moment that a query may name. Read by `momentOf`: Elysia's own format knows no day, and no + that was not encoded. */
export const moment = (description: string, example?: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 40,
      description: `${description}; RFC 3339, or a day of UTC`,
      ...(example === undefined ? {} : { examples: [example] }),
    }),
  );

/** A moment as a text has it: RFC 3339, or a day, which is its first moment in UTC; null for any other text. */
export function readMoment(text: string): Date | null {
  // A + that was not encoded comes as a space.
  const [, day = "", time] =
    /^([0-9]{4}-[0-9]{2}-[0-9]{2})([T ][0-9:.]+(?:Z|[+ -][0-9]{2}:[0-9]{2}))?$/i.exec(text) ?? [];
  const midnight = new Date(day);
  const at = time === undefined ? midnight : new Date(`${day}T${time.slice(1).replace(" ", "+")}`);
  // A 30th of February would be taken for the 2nd of March.
  if (Number.isNaN(at.getTime()) || !midnight.toISOString().startsWith(day)) return null;
  // By its offset it may be in a year of UTC that PostgreSQL does not take.
  return at.getUTCFullYear() < 1 || at.getUTCFullYear() > 9999 ? null : at;
}

/** The first moment that is one. */
const FIRST_MOMENT = Date.parse("0001-01-01T00:00:00Z");

/** The same of a query. @param firstMs what is before it is refused @throws Failure `invalid_request` for any other text */
export function momentOf(name: string, text: string, firstMs = FIRST_MOMENT): Date {
  const at = readMoment(text);
  if (at === null || at.getTime() < firstMs)
    throw failure.invalid(
      `${name} is ${quote(text)}: it takes a time such as 2026-11-25T10:15:23Z, or a day`,
    );
  return at;
}

interface RangeAsked {
  hours?: number | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/**
 * The range of a query: `hours` count back from `to`, or from now; of a beginning by them and one by `from`, the later.
 * @throws Failure `invalid_request` for a time that is none, and for a range without an inside
 */
export function rangeOf({ hours, from, to }: RangeAsked): {
  from: Date | undefined;
  to: Date | undefined;
} {
  const end = to === undefined ? undefined : momentOf("to", to);
  const begins = from === undefined ? [] : [momentOf("from", from).getTime()];
  if (hours !== undefined)
    begins.push(Math.max((end?.getTime() ?? Date.now()) - hours * 3_600_000, FIRST_MOMENT));
  const begin = begins.length === 0 ? undefined : new Date(Math.max(...begins));
  if (begin !== undefined && end !== undefined && begin >= end)
    throw failure.invalid(`to is ${end.toISOString()}: it takes a time after from, ${begin.toISOString()}`);
  return { from: begin, to: end };
}

/** Documents a stream, which no response schema can. Replaces the route's own `response` in the document. */
export function streamed(contentType: string, description: string, example: string) {
  return { description, content: { [contentType]: { schema: { type: "string" as const }, example } } };
}

/** A response of the document that points at a named model. @param example where the model's own would not do */
export function documented(description: string, model: string, example?: unknown) {
  const schema = { $ref: `#/components/schemas/${model}` };
  return {
    description,
    content: { "application/json": { schema, ...(example === undefined ? {} : { example }) } },
  };
}
