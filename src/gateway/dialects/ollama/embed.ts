/**
 * Ollama's `/api/embed`, and the older `/api/embeddings`: texts in, vectors out. Always one whole object, which does
 * not say `done`: it is whole when its vectors are there. They pass and are not kept.
 */
import { type Asked, type Body, type Dialect, field, type Keep, textField } from "../dialect";
import { heldReply } from "../passing";
import { askNative, NativeReader, refuseNative } from "./native";

export const ollamaEmbed: Dialect = {
  name: "ollama.embed",
  claims: () => true,
  ask: (body) => askEmbedding(body, textOfInput(field(body.json, "input"))),
  outgoing: (body) => ({ path: "/api/embed", body: body.bytes }),
  reply: (_asked, head, keep) => heldReply(head, new VectorsReader(head.status, keep, "embeddings")),
  refuse: refuseNative,
};

export const ollamaEmbeddings: Dialect = {
  name: "ollama.embeddings",
  claims: () => true,
  ask: (body) => askEmbedding(body, textField(body.json, "prompt")),
  outgoing: (body) => ({ path: "/api/embeddings", body: body.bytes }),
  reply: (_asked, head, keep) => heldReply(head, new VectorsReader(head.status, keep, "embedding")),
  refuse: refuseNative,
};

/** What an `input` says, the texts of a list on lines of their own; null where it is no text. */
function textOfInput(input: unknown): string | null {
  if (typeof input === "string") return input;
  if (!Array.isArray(input)) return null;
  const texts = input.filter((one) => typeof one === "string");
  return texts.length > 0 ? texts.join("\n") : null;
}

function askEmbedding(body: Body, prompt: string | null): Asked {
  return { ...askNative(body), operation: "embedding", stream: false, prompt, messages: null };
}

/** Reads what stands around the vectors of a reply. */
class VectorsReader extends NativeReader {
  /** @param name the field that holds the vectors */
  constructor(
    status: number,
    keep: Keep,
    readonly name: string,
  ) {
    const noPiece = () => ({ text: null, thinking: null, toolCalls: [] });
    super(status, true, keep, noPiece, (frame) => Array.isArray(field(frame, name)));
  }

  override read(text: string, at: number) {
    return super.read(withoutVectors(text, this.name), at);
  }
}

/** Reading 5,000 vectors takes 150 ms, in which nothing else of the program moves (Bun 1.4.4). */
function withoutVectors(text: string, name: string): string {
  const key = `"${name}":`;
  const from = text.indexOf(key);
  const to = text.lastIndexOf("]");
  return from === -1 || to < from ? text : `${text.slice(0, from)}${key}[${text.slice(to)}`;
}
