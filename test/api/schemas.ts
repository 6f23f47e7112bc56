/** Whether a value is what a schema of the document says: as much of JSON Schema as the document uses, and no more. */

/** @returns what is wrong, one line a fault; a word of a schema that this does not know is a fault too */
export function faultsOf(
  value: unknown,
  schema: unknown,
  resolve: (ref: string) => unknown,
  path = "",
): string[] {
  if (!isObject(schema)) return [`${path}: no schema`];
  const below = (part: string, inner: unknown, at: unknown) =>
    faultsOf(at, inner, resolve, `${path}/${part}`);
  return Object.entries(schema).flatMap(([word, rule]): string[] => {
    const wrong = (holds: boolean) => (holds ? [] : [`${path}: ${JSON.stringify(value)} breaks ${word}`]);
    switch (word) {
      case "$ref":
        return faultsOf(value, resolve(String(rule)), resolve, path);
      case "type":
        return wrong(isOfType(value, String(rule)));
      case "const":
        return wrong(value === rule);
      case "enum":
        return wrong(Array.isArray(rule) && rule.includes(value));
      case "anyOf":
        return wrong(Array.isArray(rule) && rule.some((one) => below("", one, value).length === 0));
      case "items":
        return Array.isArray(value) ? value.flatMap((one, at) => below(String(at), rule, one)) : [];
      case "properties":
        return isObject(value) && isObject(rule)
          ? Object.entries(value).flatMap(([name, one]) =>
              rule[name] !== undefined
                ? below(name, rule[name], one)
                : schema.additionalProperties === true
                  ? []
                  : [`${path}/${name}: not in the schema`],
            )
          : [];
      case "required":
        return wrong(isObject(value) && Array.isArray(rule) && rule.every((name) => name in value));
      case "minimum":
        return wrong(typeof value !== "number" || value >= Number(rule));
      case "maximum":
        return wrong(typeof value !== "number" || value <= Number(rule));
      case "minLength":
        return wrong(typeof value !== "string" || value.length >= Number(rule));
      case "maxLength":
        return wrong(typeof value !== "string" || value.length <= Number(rule));
      case "maxItems":
        return wrong(!Array.isArray(value) || value.length <= Number(rule));
      case "format":
        return wrong(typeof value === "string" && (formats[String(rule)]?.(value) ?? false));
      case "description":
      case "examples":
      case "default":
      case "additionalProperties":
      case "patternProperties":
        return [];
      default:
        return [`${path}: the schema says ${word}, which nobody checks`];
    }
  });
}

/** What a text of a format is; of any other nobody knows. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  "date-time": (text) => !Number.isNaN(Date.parse(text)),
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
};

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "object") return isObject(value);
  return typeof value === type;
}
