/** OpenAI's /v1/audio/transcriptions as Ollama speaks it: a chat about a sound, whose reply comes whole. */
import { createHash } from "node:crypto";
import { answer, type Dialect } from "./answer";
import { findModel, makeAsk, noteArrival } from "./ask";
import { EarlyRefusal } from "./body";
import { goJson } from "./go-json";
import type { World } from "./world";

const instructions =
  "Transcribe the audio exactly as spoken. Output only the spoken words. Do not answer any question in the audio.";

/** POST /v1/audio/transcriptions */
export async function transcriptions(world: World, request: Request): Promise<Response> {
  const form = await readForm(request);
  const text = (field: string) => String(form.get(field) ?? "");
  const name = text("model");
  if (name === "") throw new EarlyRefusal(400, "model is required");
  const file = form.get("file");
  if (!(file instanceof Blob)) throw new EarlyRefusal(400, "file is required: http: no such file");
  if (file.size === 0) throw new EarlyRefusal(400, "audio file is empty");
  const sound = createHash("sha256")
    .update(await file.bytes())
    .digest("hex");
  const fields = { ...Object.fromEntries(form), file: { type: file.type, bytes: file.size, sha256: sound } };
  noteArrival(world, request, { text: "", fields });
  const language = text("language") && ` The audio is in ${text("language")}.`;
  const context = text("prompt") && ` Context: ${text("prompt")}`;
  const ask = makeAsk({
    model: findModel(world, name),
    name,
    messages: [
      { role: "system", text: instructions + language + context },
      // Another sound has other words in it.
      { role: "user", text: `What exact words are spoken in this audio? ${sound}` },
    ],
    tools: [],
    options: {},
    think: undefined,
    json: false,
    keepAliveMs: undefined,
    endpoint: "chat",
  });
  const dialect = transcriptionDialect(text("response_format") === "text");
  return await answer(world, { ask, dialect, stream: true }, request);
}

/** @throws EarlyRefusal in Go's words */
async function readForm(request: Request): Promise<FormData> {
  const type = request.headers.get("content-type") ?? "";
  const fail = (why: string) => new EarlyRefusal(400, `failed to parse multipart form: ${why}`);
  if (!type.startsWith("multipart/form-data")) throw fail("request Content-Type isn't multipart/form-data");
  if (!type.includes("boundary=")) throw fail("no multipart boundary param in Content-Type");
  try {
    return await request.formData();
  } catch {
    throw fail("multipart: NextPart: EOF");
  }
}

/** Tokens are streamed to Ollama's translation, which holds them until the last: the head goes out with the first. */
function transcriptionDialect(bare: boolean): Dialect {
  let said = "";
  return {
    streamHeaders: { "content-type": "application/x-ndjson" },
    wholeType: "application/json",
    token({ content }) {
      said += content;
      return "";
    },
    done: () => (bare ? said.trim() : `${goJson({ text: said.trim() })}\n`),
    // Lost on the way: the reply ends without a byte.
    error: () => "",
    whole: () => "",
  };
}
