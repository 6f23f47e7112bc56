/** OpenAI's `/v1/audio/transcriptions`: a form with a sound in it, words out, always whole as Ollama answers. */
import { type Asked, type Dialect, field, type Head, textField } from "../dialect";
import { readForm } from "../form";
import { errorWords, passingEvents } from "../passing";
import { askOpenAi } from "./ask";
import { errorEvent, refuseOpenAi } from "./refuse";
import { inputOutputFigures } from "./response-events";

export const openAiTranscriptions: Dialect = {
  name: "openai.transcriptions",
  claims: () => true,
  read: readForm,
  ask: (body) => ({
    ...askOpenAi(body, ["prompt"]),
    operation: "transcription",
    // Of the sound's context, which is all the text that there is.
    prompt: textField(body.json, "prompt"),
    system: null,
    messages: null,
  }),
  outgoing: ({ bytes }) => ({ path: "/v1/audio/transcriptions", body: bytes }),
  reply: (asked, head, keep) =>
    passingEvents(head, keep, (heard) => ({
      event: () => true,
      whole(json, at) {
        const text = textField(json, "text");
        if (text === null) return heard.complain("Ollama answered with JSON that is no transcription");
        heard.note({ text, thinking: null, toolCalls: [] }, at);
        heard.count(inputOutputFigures(field(json, "usage")));
        heard.end("complete", null);
      },
      worthReading: (bytes) => (isBareText(bytes, asked, head) ? asJson(bytes) : bytes),
      errorOf: errorWords,
      fail: errorEvent,
    })),
  refuse: refuseOpenAi,
};

/**
 * Whether a reply is the words alone, as `response_format=text` asks for. Once a token has come Ollama calls every reply
 * NDJSON, and ends one without a byte where its runner has died: that is no transcription without words.
 */
function isBareText(bytes: Uint8Array, { options }: Asked, { status, headers }: Head): boolean {
  const asked: unknown = JSON.parse(options ?? "null");
  if (status !== 200 || textField(asked, "response_format") !== "text") return false;
  const type = headers.get("content-type") ?? "";
  return type.startsWith("text/plain") || (type.startsWith("application/x-ndjson") && bytes.length > 0);
}

function asJson(bytes: Uint8Array): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ text: new TextDecoder().decode(bytes) }));
}
