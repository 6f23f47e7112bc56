/** Requests to an operation, made from its documentation: as documented, within it, and beside it. */
import fc from "fast-check";
import { faultsOf, isObject } from "../api/schemas";
import { follow, type Operation, type Parameter, type Resolve } from "./document";

export interface Made {
  /** `documented`: the document's own examples, which must do. `fitting`: what its schemas let through. */
  readonly kind: "documented" | "fitting" | "broken";
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  /** Whether it breaks a schema, so that it must be refused. */
  readonly wrong: boolean;
}

type Schema = Record<string, unknown>;

/** Characters at which programs stumble: NUL, lone surrogates, others' quotes, and what looks like something else. */
const oddCharacters = [
  ..."\0\x01\x1b\x7f\u0085\u00a0\u00ad\u0301\u200b\u202e\u2028\ud800\udfff\ufeff\ufffd\uffff".split(""),
  ...[
    "😀",
    "👩‍👩‍👧",
    "ﷺ",
    "İ",
    "ß",
    "'",
    '"',
    "\\",
    "`",
    "%",
    "_",
    "$1",
    "{{x}}",
    "--",
    "/*",
    "<!--",
    "\r\n",
    "\t",
  ],
];
const oddText = (most: number) =>
  fc.string({
    unit: fc.oneof(fc.constantFrom(...oddCharacters), fc.string({ minLength: 1 })),
    maxLength: most,
  });
/** Texts that are percent-encoded already, or were meant to be. */
const oddEncodings = [
  "%00",
  "%",
  "%zz",
  "%ED%A0%80",
  "%C0%80",
  "%FF",
  "%2e%2e%2f",
  "+",
  "%2B",
  "%0d%0a",
  "%u0041",
];
const oddNumbers = [
  "0",
  "-1",
  "1e3",
  "1.5",
  "00",
  "+1",
  " 1",
  "0x10",
  "NaN",
  "Infinity",
  "-0",
  "٣",
  "9".repeat(30),
  "",
];

/** Values that a schema lets through. */
function fitting(given: Schema, resolve: Resolve): fc.Arbitrary<unknown> {
  const schema = follow(given, resolve);
  const examples: unknown[] = Array.isArray(schema.examples) ? schema.examples : [];
  const made = generated(schema, resolve).filter((value) => faultsOf(value, schema, resolve).length === 0);
  // What a text must be beyond its schema, such as a time or a day, the examples alone tell.
  return examples.length === 0
    ? made
    : fc.oneof({ weight: 1, arbitrary: made }, { weight: 3, arbitrary: fc.constantFrom(...examples) });
}

function generated(schema: Schema, resolve: Resolve): fc.Arbitrary<unknown> {
  if ("const" in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  if (Array.isArray(schema.anyOf)) return fc.oneof(...schema.anyOf.map((one) => fitting(one, resolve)));
  const least = Number(schema.minimum ?? Number.MIN_SAFE_INTEGER);
  const most = Number(schema.maximum ?? Number.MAX_SAFE_INTEGER);
  switch (schema.type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: least, max: most });
    case "number":
      return fc.double({ min: least, max: most, noNaN: true });
    case "string": {
      // Nothing else would ever be let through.
      if (schema.format === "uuid") return fc.uuid();
      if (schema.format === "date-time")
        return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
      const longest = Number(schema.maxLength ?? 10_000);
      return fc.oneof(
        { weight: 3, arbitrary: fc.stringMatching(/^[a-z][a-z0-9._:-]{0,11}$/) },
        { weight: 2, arbitrary: oddText(20) },
        { weight: 1, arbitrary: fc.constantFrom("x".repeat(longest), "€".repeat(longest)) },
      );
    }
    case "array":
      return fc.array(fitting(asSchema(schema.items), resolve), {
        maxLength: Math.min(Number(schema.maxItems ?? 5), 5),
      });
    case "object": {
      const properties = Object.entries(isObject(schema.properties) ? schema.properties : {});
      const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
      const known = fc.record(
        Object.fromEntries(
          properties.map(([name, property]) => [name, fitting(asSchema(property), resolve)]),
        ),
        { requiredKeys: properties.map(([name]) => name).filter((name) => required.includes(name)) },
      );
      if (!isObject(schema.patternProperties)) return known;
      return fc.dictionary(oddText(5), fc.jsonValue({ maxDepth: 2 }));
    }
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function asSchema(value: unknown): Schema {
  return isObject(value) ? value : {};
}

/** A text as it stands in a path or a query; what is no text of Unicode as the bytes that it would be. */
function encode(text: string): string {
  return [...text]
    .map((one) => (/^[\ud800-\udfff]$/.test(one) ? "%ED%A0%80" : encodeURIComponent(one)))
    .join("");
}

/** A parameter's text as the API reads it. */
function read(text: string, { type }: Schema): unknown {
  if (type === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** A parameter's value, encoded, and whether it breaks the schema; null where it is left out. */
type Value = { readonly encoded: string; readonly wrong: boolean } | null;

function valuesOf(kind: Made["kind"], parameter: Parameter, resolve: Resolve): fc.Arbitrary<Value> {
  const { schema, required } = parameter;
  const examples: unknown[] = Array.isArray(schema.examples) ? schema.examples : [];
  const right = (value: unknown): Value => ({ encoded: encode(String(value)), wrong: false });
  const optional = (values: fc.Arbitrary<Value>) => (required ? values : fc.option(values));
  if (kind === "documented")
    // What the document gives no example of, nobody could make up.
    return examples.length === 0 ? fc.constant(null) : optional(fc.constantFrom(...examples).map(right));
  // Half of them are left out: of some, such as hours and from, only one is taken.
  if (kind === "fitting") {
    const values = fitting(schema, resolve).map(right);
    return required ? values : fc.option(values, { freq: 1 });
  }
  const longest = Number(schema.maxLength ?? 1000);
  const texts = fc
    .oneof(oddText(10), fc.constantFrom(...oddNumbers), fc.constant("y".repeat(longest + 1)))
    .map(
      (text): Value => ({
        encoded: encode(text),
        wrong: faultsOf(read(text, schema), schema, resolve).length > 0,
      }),
    );
  const any = fc.oneof(
    { weight: 4, arbitrary: texts },
    { weight: 1, arbitrary: fc.constantFrom(...oddEncodings).map((encoded) => ({ encoded, wrong: false })) },
    { weight: 2, arbitrary: fitting(schema, resolve).map(right) },
    { weight: required ? 0 : 2, arbitrary: fc.constant(null) },
  );
  // Without a name it is another path.
  return parameter.where === "path" ? any.filter((value) => value?.encoded !== "") : any;
}

interface Body {
  readonly bytes: string | Uint8Array<ArrayBuffer> | null;
  readonly wrong: boolean;
}

/** Bodies that are no JSON object, whatever is asked for. */
const malformed: readonly (string | Uint8Array<ArrayBuffer>)[] = [
  ...["", " ", "[]", "null", '"text"', "7", "true", "{", "{,}", "{'a':1}", "{a:1}", '{"a":1}}', "NaN", "\0"],
  ...["[".repeat(20_000), '{"a":'.repeat(20_000), "a=1&b=2", '{"a":"\n"}', '{"a":01}', "<xml/>"],
  new Uint8Array([0xff, 0xfe, 0x7b, 0x7d]),
  new Uint8Array(2000),
];

function bodiesOf(kind: Made["kind"], { body, method }: Operation, resolve: Resolve): fc.Arbitrary<Body> {
  const json = (value: unknown): Body => ({ bytes: JSON.stringify(value), wrong: false });
  // A body where none is asked for is nobody's business.
  if (!body)
    return method === "GET" || kind === "documented"
      ? fc.constant({ bytes: null, wrong: false })
      : fc.constantFrom({ bytes: null, wrong: false }, json({ a: 1 }), { bytes: "{", wrong: false });
  const { schema, example } = body;
  if (kind === "documented") return fc.constant(json(example));
  if (kind === "fitting") return fitting(schema, resolve).map(json);
  const text = JSON.stringify(example);
  const branches: unknown[] = Array.isArray(schema.anyOf) ? schema.anyOf : [schema];
  const broken = branches.flatMap((branch) => brokenObjects(follow(branch, resolve), example, resolve));
  return fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...malformed).map((bytes) => ({ bytes, wrong: true })) },
    {
      weight: 1,
      arbitrary: fc.nat(text.length - 1).map((end) => ({ bytes: text.slice(0, end), wrong: true })),
    },
    {
      weight: 6,
      arbitrary: fc
        .oneof(...broken)
        // What breaks one branch of a choice may be in another.
        .map((one): Body => ({ ...one, wrong: one.wrong && branches.length === 1 })),
    },
  );
}

/** An example with a field that is left out, of another type, or one that nobody knows. */
function brokenObjects(schema: Schema, example: unknown, resolve: Resolve): fc.Arbitrary<Body>[] {
  const whole = isObject(example) ? example : {};
  const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
  const extra = fc
    .tuple(fc.oneof(oddText(8), fc.constantFrom("__proto__", "constructor", "toString")), fc.jsonValue())
    // Written by hand: an object's own __proto__ would be lost.
    .map(
      ([name, value]): Body => ({
        bytes: JSON.stringify(whole).replace(/^\{/, `{${JSON.stringify(name)}:${JSON.stringify(value)},`),
        wrong: false,
      }),
    );
  const fields = Object.entries(isObject(schema.properties) ? schema.properties : {}).map(
    ([name, property]) =>
      fc
        .oneof(
          fc.constant(undefined),
          fc.jsonValue(),
          fc.constantFrom("x".repeat(100_000), 1e308, -1, "", [], {}, { toString: 1 }),
        )
        .map(
          (value): Body => ({
            bytes: JSON.stringify({ ...whole, [name]: value }),
            wrong:
              value === undefined
                ? required.includes(name)
                : faultsOf(value, follow(property, resolve), resolve).length > 0,
          }),
        ),
  );
  return [extra, ...fields];
}

const headers = fc.record(
  {
    accept: fc.constantFrom("*/*", "text/html", "application/xml;q=0.1", "", "x".repeat(2000)),
    "content-type": fc.constantFrom(
      "application/json",
      "application/json; charset=utf-16",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "multipart/form-data; boundary=x",
      "text/plain",
      "application/xml",
      "nonsense",
      "",
    ),
    "accept-language": fc.constantFrom("tlh", "*", ";;;"),
    "if-none-match": fc.constantFrom("*", '"x"'),
    "if-modified-since": fc.constantFrom("yesterday", "Thu, 01 Jan 1970 00:00:00 GMT"),
    range: fc.constantFrom("bytes=0-1", "bytes=9-1,2-", "lines=7"),
    authorization: fc.constantFrom("Bearer nobody", "Basic eDp5", "\xff"),
    cookie: fc.constantFrom("a=b; a=c", "=;=;=", "__proto__=1"),
    "x-forwarded-for": fc.constantFrom("127.0.0.1", "'"),
    "x-http-method-override": fc.constantFrom("DELETE", "FOO"),
    origin: fc.constantFrom("http://localhost:3000", "app://obsidian.md"),
  },
  { requiredKeys: [] },
);

/** Parameters that nobody knows, which are ignored, but by what deletes. */
const noise = fc.array(
  fc.constantFrom("utm_source=a", "__proto__=1", "x[]=1", "x[a]=1", "constructor=", "=", "&", "%00=1"),
  {
    maxLength: 2,
  },
);

/** Requests to one operation: some as documented, some within its schemas, most beside them. */
export function requestsTo(operation: Operation, resolve: Resolve): fc.Arbitrary<Made> {
  const some = (kind: Made["kind"]) => {
    const values = operation.parameters.map((parameter) =>
      // One wrong thing at a time would never meet what two do; all wrong at once hide each other.
      kind === "broken"
        ? fc.oneof(valuesOf("broken", parameter, resolve), valuesOf("documented", parameter, resolve))
        : valuesOf(kind, parameter, resolve),
    );
    const bodies =
      kind === "broken" && operation.body
        ? fc.oneof(
            { weight: 3, arbitrary: bodiesOf("broken", operation, resolve) },
            { weight: 1, arbitrary: bodiesOf("documented", operation, resolve) },
          )
        : bodiesOf(kind, operation, resolve);
    return (
      fc
        .tuple(fc.tuple(...values), bodies, headers, isStrict(operation, kind) ? fc.constant([]) : noise)
        .map(([given, body, further, unknown]) => build(kind, operation, given, body, further, unknown))
        // Dots and empty names in a path make it another path, for whoever sends it too.
        .filter((made) => new URL(made.target, "http://localhost").pathname === made.target.split("?")[0])
    );
  };
  return fc.oneof(
    { weight: 3, arbitrary: some("documented") },
    { weight: 3, arbitrary: some("fitting") },
    { weight: 6, arbitrary: some("broken") },
  );
}

/** A deletion that is narrowed by a word that is not understood would delete more than was meant: it is refused. */
function isStrict({ method, parameters }: Operation, kind: Made["kind"]): boolean {
  return kind === "documented" && method === "DELETE" && parameters.some(({ where }) => where === "query");
}

function build(
  kind: Made["kind"],
  { method, path, parameters }: Operation,
  given: readonly Value[],
  body: Body,
  further: Readonly<Record<string, string>>,
  unknown: readonly string[],
): Made {
  let target = path;
  const query = [...unknown];
  const named: Record<string, string> = {};
  let wrong = body.wrong;
  for (const [at, { name, where }] of parameters.entries()) {
    const value = given[at] ?? null;
    if (value === null) continue;
    wrong ||= value.wrong;
    if (where === "path") target = target.replace(`{${name}}`, value.encoded);
    else if (where === "query") query.push(`${encodeURIComponent(name)}=${value.encoded}`);
    else named[name] = decodeURIComponent(value.encoded);
  }
  if (query.length > 0) target += `?${query.join("&")}`;
  return { kind, method, target, headers: { ...further, ...named }, body: body.bytes, wrong };
}
