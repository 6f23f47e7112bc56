/** What TypeBox found wrong, in the words of the contract's 400: the parameter, what was given, what is accepted. */
import { KindGuard, type TSchema } from "@sinclair/typebox";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { type Failure, failure, quote } from "./errors";

/**
 * @param path TypeBox's path of the value, such as "/options/seed"
 * @returns such as `temperature is 7: it takes a number from 0 to 2`
 */
export function sayWrong(path: string, value: unknown, schema: TSchema): string {
  const name = path.split("/").filter(Boolean).join(".") || "the body";
  if (value === undefined) return `${name} parameter is required: it takes ${sayAccepted(schema)}`;
  return `${name} is ${typeof value === "string" ? quote(value) : (JSON.stringify(value) ?? "").slice(0, 200)}: it takes ${sayAccepted(schema)}`;
}

function sayAccepted(schema: TSchema): string {
  if (KindGuard.IsUnion(schema)) {
    // In a query Elysia takes a boolean's words as texts of that format.
    return schema.anyOf
      .filter((one) => one.format !== "boolean")
      .map(sayAccepted)
      .join(" or ");
  }
  if (KindGuard.IsLiteral(schema)) return String(schema.const);
  if (KindGuard.IsArray(schema))
    return `a list of ${sayAccepted(schema.items)} each${range(schema.minItems, schema.maxItems)}`;
  if (KindGuard.IsInteger(schema)) return `a whole number${range(schema.minimum, schema.maximum)}`;
  if (KindGuard.IsNumber(schema)) return `a number${range(schema.minimum, schema.maximum)}`;
  if (KindGuard.IsBoolean(schema)) return "true or false";
  if (KindGuard.IsString(schema)) {
    if (schema.format === "uuid") return "a UUID such as 019ab2c4-6f10-7000-8000-000000000001";
    if (schema.format === "date-time") return "a time such as 2026-11-25T10:15:23Z";
    if (schema.maxLength === undefined && schema.minLength === undefined) return "a text";
    return `a text of ${schema.minLength ?? 0} ${schema.maxLength === undefined ? "characters or more" : `to ${schema.maxLength} characters`}`;
  }
  return KindGuard.IsObject(schema) || KindGuard.IsRecord(schema) ? "a JSON object" : "another kind of value";
}

function range(least: unknown, most: unknown): string {
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  if (least !== undefined) return ` from ${least} up`;
  return most === undefined ? "" : ` up to ${most}`;
}

/** The contract's 400 for a body that is no JSON, with the place where it breaks. */
export function malformedJson(bytes: Uint8Array): Failure {
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === "") return failure.invalid("the body is empty: it takes a JSON object");
  const errors: ParseError[] = [];
  try {
    // Only asked once JSON.parse has refused the text, since that one does not say where.
    parse(text, errors, { allowTrailingComma: false, disallowComments: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  // It is refused and nothing is wrong with it, or not even this parser gets to the bottom of it.
  if (errors.length === 0) return failure.invalid("the body's JSON is nested deeper than 10,000 levels");
  const offset = errors[0]?.offset ?? text.length;
  const before = text.slice(0, offset).split("\n");
  const word = errors[0] ? ` (${printParseErrorCode(errors[0].error)})` : "";
  return failure.invalid(
    `the body is malformed JSON at position ${offset}, line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}${word}`,
  );
}
