/** Answers of `/v1` that a real Ollama gave, and playing them to a dialect. */
import { failure } from "../../../src/errors";
import type { Dialect } from "../../../src/gateway/dialects/dialect";
import { openAiChat } from "../../../src/gateway/dialects/openai/chat";
import { openAiCompletions } from "../../../src/gateway/dialects/openai/completions";
import { openAiEmbeddings } from "../../../src/gateway/dialects/openai/embeddings";
import { openAiResponses } from "../../../src/gateway/dialects/openai/responses";
import { openAiTranscriptions } from "../../../src/gateway/dialects/openai/transcriptions";
import { bodyOf, bytesOf, type Recording, recording as recordingOf, recordings } from "../recordings";

/** @param name such as "chat-stream" */
export function recording(
  name: string,
): Omit<Recording, "body"> & { readonly body: Uint8Array<ArrayBuffer> } {
  const found = recordingOf(`openai/${name}`);
  return { ...found, body: bytesOf(found.body) };
}

export function recordingNames(): string[] {
  return recordings("openai").map((name) => name.replace("openai/", ""));
}

const dialects = [openAiChat, openAiCompletions, openAiEmbeddings, openAiResponses, openAiTranscriptions];

export function dialectOf(path: string): Dialect {
  const found = dialects.find((dialect) => {
    const body = bodyOf("{}");
    return dialect.outgoing(body, dialect.ask(body)).path === path;
  });
  if (!found) throw new Error(`no dialect for ${path}`);
  return found;
}

/** What a client gets, and what is told, of an answer to a request whose bytes come in these pieces, a second apart. */
export function play(
  dialect: Dialect,
  request: string,
  { status, headers }: Pick<Recording, "status" | "headers">,
  pieces: readonly Uint8Array[],
) {
  const asked = dialect.ask(bodyOf(request));
  const reply = dialect.reply(asked, { status, headers }, { mostCharacters: 1_000_000, arrivedAt: 0 });
  const out: Uint8Array[] = [];
  let endedBefore = "";
  pieces.forEach((piece, index) => {
    const bytes = reply.take(piece, index * 1000);
    if (reply.ended && endedBefore === "") endedBefore = Buffer.concat(out).toString();
    out.push(bytes);
  });
  out.push(reply.finish(pieces.length * 1000));
  const passed = Buffer.concat(out).toString();
  const broken = reply.ended ? "" : Buffer.from(reply.fail(failure.engineAnswer(502, "broken"))).toString();
  return { asked, passed, broken, head: reply.head, told: reply.told(), endedBefore };
}
