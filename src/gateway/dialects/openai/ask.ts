/** What OpenAI's requests ask in the same way. */
import { type Asked, type Body, field, textField } from "../dialect";
import { describeDataUrl, describeFile } from "../images";

/** Longer is no name. */
const LONGEST_USER = 200;

/**
 * The fields that all requests have.
 * @param texts the fields that are kept as texts; the others are options
 */
export function askOpenAi(
  { json }: Body,
  texts: readonly string[],
): Pick<Asked, "model" | "stream" | "user" | "options" | "wrong"> {
  const apart = new Set([...texts, "model", "stream", "stream_options", "user"]);
  const rest = Object.entries(fieldsOf(json)).filter(([name]) => !apart.has(name));
  return {
    // An empty name counts as none: Ollama says so itself.
    model: textField(json, "model") || null,
    stream: field(json, "stream") === true,
    // What OpenAI calls it since it gave up `user`.
    user: (textField(json, "user") || textField(json, "safety_identifier"))?.slice(0, LONGEST_USER) || null,
    options: rest.length > 0 ? JSON.stringify(Object.fromEntries(rest)) : null,
    // What is wrong with it Ollama says itself.
    wrong: null,
  };
}

/** The text of the last message that one of the roles said; null where there is none. */
export function lastTextOf(messages: readonly unknown[], ...roles: readonly string[]): string | null {
  const last = messages.findLast((message) =>
    roles.includes(textField(message, "role")?.toLowerCase() ?? ""),
  );
  return textOf(field(last, "content"));
}

/** The text of a message's content: a text itself, or parts of which some are text. */
function textOf(content: unknown): string | null {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return null;
  const texts = content.flatMap((part) => textField(part, "text") ?? []);
  return texts.length > 0 ? texts.join("\n") : null;
}

/** Messages as they were sent, but for the bytes of images, sounds and files in them. */
export function withoutBytes(messages: readonly unknown[]): unknown[] {
  return messages.map((message) => {
    // A tool's result may hold images too, under another name.
    const name = ["content", "output"].find((one) => Array.isArray(field(message, one)));
    const parts = name === undefined ? null : field(message, name);
    if (name === undefined || !Array.isArray(parts)) return message;
    return { ...fieldsOf(message), [name]: parts.map(withoutBytesOf) };
  });
}

/** `image_url` is an object in chat and a text in responses. */
function withoutBytesOf(part: unknown): unknown {
  const image = field(part, "image_url");
  const file = textField(part, "file_data") ?? textField(field(part, "file"), "file_data");
  const url = typeof image === "string" ? image : (textField(image, "url") ?? file);
  if (url !== null) return describeDataUrl(url) ?? (file === null ? part : describeFile(file));
  const sound = field(part, "input_audio");
  const data = textField(sound, "data");
  if (data === null) return part;
  const format = textField(sound, "format");
  return describeFile(data, format === null ? null : `audio/${format}`);
}

function fieldsOf(json: unknown): object {
  return typeof json === "object" && json !== null && !Array.isArray(json) ? json : {};
}
