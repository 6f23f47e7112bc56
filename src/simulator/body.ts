/** Reads request bodies and refuses them in the words of Go's decoder and of Ollama's handlers. */
import { GoJsonError, goKind, isObject, parseGoJson } from "./go-json";
import { keepAliveMs } from "./go-time";

/** A request that is answered with an error; the dialect gives it its shape. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** One by what turns the APIs of others into Ollama's own, which writes it in another way. */
export class EarlyRefusal extends Refusal {}

/** A body's fields with the Go types that they are read into. */
export type Body = { text: string; fields: Record<string, unknown> };

/** The Go type of each field that is checked; others are ignored. */
export type GoFields = Readonly<Record<string, string>>;

const kinds: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  bool: (value) => typeof value === "boolean",
  int: (value) => typeof value === "number" && Number.isInteger(value),
  "map[string]interface {}": isObject,
};

/**
 * Reads a body into the fields of a Go struct.
 * @param empty Ollama's message for an empty body; its own API and the others differ
 * @throws Refusal 400
 */
export async function readBody(
  request: Request,
  struct: string,
  types: GoFields,
  empty = "missing request body",
): Promise<Body> {
  const text = await request.text();
  let value: unknown;
  try {
    value = parseGoJson(text);
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    throw new Refusal(400, error.message === "EOF" ? empty : error.message);
  }
  const name = struct.split(".").at(-1) ?? struct;
  if (value === null) return { text, fields: {} };
  if (!isObject(value)) {
    throw new Refusal(400, `json: cannot unmarshal ${goKind(value)} into Go value of type ${struct}`);
  }
  const fields = lowered(value);
  if (Array.isArray(fields.messages))
    fields.messages = fields.messages.map((message: unknown) =>
      isObject(message) ? lowered(message) : message,
    );
  for (const [field, type] of Object.entries(types)) check(fields[field], `${name}.${field}`, type);
  return { text, fields };
}

/** Go takes names in any case. */
function lowered(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name.toLowerCase(), one]));
}

/** A body of another's API. @throws EarlyRefusal 400 */
export async function readForeignBody(request: Request, struct: string, types: GoFields): Promise<Body> {
  try {
    return await readBody(request, struct, types, "EOF");
  } catch (error) {
    throw error instanceof Refusal ? new EarlyRefusal(error.status, error.message) : error;
  }
}

function check(value: unknown, path: string, type: string): void {
  if (value === undefined || value === null) return;
  if (type.startsWith("[]") ? Array.isArray(value) : (kinds[type]?.(value) ?? true)) {
    if (type === "[]api.Message" && Array.isArray(value)) for (const item of value) checkMessage(item, path);
    return;
  }
  const kind = type === "int" && typeof value === "number" ? `number ${value}` : goKind(value);
  throw new Refusal(400, `json: cannot unmarshal ${kind} into Go struct field ${path} of type ${type}`);
}

function checkMessage(value: unknown, path: string): void {
  if (!isObject(value)) {
    throw new Refusal(
      400,
      `json: cannot unmarshal ${goKind(value)} into Go struct field ${path} of type api.Alias`,
    );
  }
  check(value.role, "Alias.role", "string");
  check(value.content, "Alias.content", "string");
}

/** A field as text, "" when it is absent. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A field as a number. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** A field as a list of objects. */
export function objectsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/**
 * The keep_alive of a request in ms, undefined when it has none.
 * @throws Refusal 400
 */
export function keepAliveOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const ms = typeof value === "string" || typeof value === "number" ? keepAliveMs(value) : undefined;
  if (ms === undefined) throw new Refusal(400, `time: invalid duration ${JSON.stringify(value)}`);
  return ms;
}
