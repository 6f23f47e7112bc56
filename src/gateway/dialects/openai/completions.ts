/** OpenAI's `/v1/completions`. Its streams are not asked for usage: Ollama would then change every chunk of them. */
import { type Dialect, field, joinedText, textField } from "../dialect";
import { passingEvents } from "../passing";
import { commentBeat } from "../sse";
import { askOpenAi } from "./ask";
import { listenToChunks } from "./chunks";
import { refuseOpenAi } from "./refuse";

export const openAiCompletions: Dialect = {
  name: "openai.completions",
  claims: () => true,
  ask: (body) => ({
    ...askOpenAi(body, ["prompt"]),
    operation: "completion",
    prompt: joinedText(field(body.json, "prompt")),
    system: null,
    messages: null,
  }),
  outgoing: ({ bytes }) => ({ path: "/v1/completions", body: bytes }),
  reply: (_asked, head, keep) =>
    passingEvents(head, keep, (heard) =>
      listenToChunks(heard, {
        note: (choice, at) =>
          heard.note({ text: textField(choice, "text"), thinking: null, toolCalls: [] }, at),
        hidesUsage: false,
      }),
    ),
  heartbeat: commentBeat,
  refuse: refuseOpenAi,
};
