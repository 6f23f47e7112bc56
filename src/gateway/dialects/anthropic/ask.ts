/** What a request to `/v1/messages` asks. */
import { type Asked, type Body, field, textField } from "../dialect";
import { describeDataUrl, describeFile } from "../images";

/** Kept in columns of their own, or said elsewhere. */
const notOptions = new Set(["model", "messages", "system", "stream", "metadata"]);
/** Anthropic's own limit on `user_id`. */
const LONGEST_USER = 256;

/** Never throws: what can't be read is null. */
export function askMessages({ json }: Body): Asked {
  const messages = field(json, "messages");
  const list: unknown[] = Array.isArray(messages) ? messages : [];
  const rest = Object.entries(Object(json ?? {})).filter(([name]) => !notOptions.has(name));
  return {
    operation: "chat",
    // An empty name counts as none: Ollama says so itself.
    model: textField(json, "model") || null,
    stream: field(json, "stream") === true,
    user: textField(field(json, "metadata"), "user_id")?.slice(0, LONGEST_USER) || null,
    prompt: lastUserText(list),
    system: textOf(field(json, "system")),
    messages: messages === undefined ? null : JSON.stringify(list.map(withoutBytes)),
    options: rest.length > 0 ? JSON.stringify(Object.fromEntries(rest)) : null,
    wrong: null,
  };
}

/** A message of role user may hold nothing but what tools said: then it is the one before. */
function lastUserText(messages: readonly unknown[]): string | null {
  for (const message of messages.toReversed()) {
    if (textField(message, "role")?.toLowerCase() !== "user") continue;
    const text = textOf(field(message, "content"));
    if (text !== null) return text;
  }
  return null;
}

/** The text of a message or a system prompt: text itself, or blocks of which some are text; null for none. */
function textOf(content: unknown): string | null {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return null;
  const texts = content.flatMap((block: unknown) =>
    field(block, "type") === "text" ? (textField(block, "text") ?? []) : [],
  );
  return texts.length > 0 ? texts.join("\n") : null;
}

/** A message or a tool's result whose images and documents are described. */
function withoutBytes(holder: unknown): unknown {
  const content = field(holder, "content");
  if (!Array.isArray(content) || typeof holder !== "object") return holder;
  return { ...holder, content: content.map(describeBlock) };
}

function describeBlock(block: unknown): unknown {
  if (typeof block !== "object" || block === null) return block;
  if (field(block, "type") === "tool_result") {
    const content = field(block, "content");
    return Array.isArray(content) ? { ...block, content: content.map(describeSource) } : block;
  }
  return describeSource(block);
}

function describeSource(block: unknown): unknown {
  const source = field(block, "source");
  const [data, url] = [textField(source, "data"), textField(source, "url")];
  const described =
    data !== null && field(source, "type") !== "text"
      ? describeFile(data, textField(source, "media_type"))
      : url !== null && describeDataUrl(url);
  return described && typeof block === "object" ? { ...block, source: described } : block;
}
