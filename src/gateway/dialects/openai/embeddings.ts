/** OpenAI's `/v1/embeddings`: texts in, vectors out, always whole. Vectors pass and are not kept. */
import { countField, type Dialect, field, joinedText } from "../dialect";
import { errorWords, passingEvents } from "../passing";
import { withoutVectors } from "../vectors";
import { askOpenAi } from "./ask";
import { errorEvent, refuseOpenAi } from "./refuse";

export const openAiEmbeddings: Dialect = {
  name: "openai.embeddings",
  claims: () => true,
  ask: (body) => ({
    ...askOpenAi(body, ["input"]),
    operation: "embedding",
    stream: false,
    prompt: joinedText(field(body.json, "input")),
    system: null,
    messages: null,
  }),
  outgoing: ({ bytes }) => ({ path: "/v1/embeddings", body: bytes }),
  reply: (_asked, head, keep) =>
    passingEvents(head, keep, (heard) => ({
      event: () => true,
      whole(json) {
        if (!Array.isArray(field(json, "data")))
          return heard.complain("Ollama answered with JSON that holds no vectors");
        // What Ollama does not know it writes as 0.
        heard.count({ tokensIn: countField(field(json, "usage"), "prompt_tokens") || null });
        heard.end("complete", null);
      },
      worthReading: (bytes) => withoutVectors(bytes, "data"),
      errorOf: errorWords,
      fail: errorEvent,
    })),
  refuse: refuseOpenAi,
};
