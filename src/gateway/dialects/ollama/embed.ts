/**
 * Ollama's `/api/embed`, and the older `/api/embeddings`: texts in, vectors out. Always one whole object, which does
 * not say `done`: it is whole when its vectors are there. They pass and are not kept.
 */
import {
  type Asked,
  type Body,
  type Dialect,
  field,
  type Head,
  joinedText,
  type Keep,
  textField,
} from "../dialect";
import { heldReply } from "../passing";
import { withoutVectors } from "../vectors";
import { askNative, lowerNames, NativeReader, refuseNative } from "./native";

export const ollamaEmbed: Dialect = {
  name: "ollama.embed",
  claims: () => true,
  ask: (body) => askEmbedding(body, (json) => joinedText(field(json, "input"))),
  outgoing: (body) => ({ path: "/api/embed", body: body.bytes }),
  reply: (_asked, head, keep) => vectorsReply(head, keep, "embeddings"),
  refuse: refuseNative,
};

export const ollamaEmbeddings: Dialect = {
  name: "ollama.embeddings",
  claims: () => true,
  ask: (body) => askEmbedding(body, (json) => textField(json, "prompt")),
  outgoing: (body) => ({ path: "/api/embeddings", body: body.bytes }),
  reply: (_asked, head, keep) => vectorsReply(head, keep, "embedding"),
  refuse: refuseNative,
};

function askEmbedding(body: Body, promptOf: (json: unknown) => string | null): Asked {
  const json = lowerNames(body.json);
  const prompt = promptOf(json);
  return { ...askNative(json), operation: "embedding", stream: false, prompt, messages: null };
}

/** @param name the field that holds the vectors */
function vectorsReply(head: Head, keep: Keep, name: string) {
  const noPiece = () => ({ text: null, thinking: null, toolCalls: [] });
  const isWhole = (frame: unknown) => Array.isArray(field(frame, name));
  const reader = new NativeReader(head.status, true, keep, noPiece, isWhole);
  return heldReply(head, reader, (bytes) => withoutVectors(bytes, name));
}
