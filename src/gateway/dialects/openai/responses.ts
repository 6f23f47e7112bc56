/** OpenAI's `/v1/responses`, as Ollama speaks it: without a memory, each request holds the whole talk. */
import { type Dialect, field, joinedText, textField } from "../dialect";
import { passingEvents } from "../passing";
import { commentBeat } from "../sse";
import { askOpenAi, lastTextOf, withoutBytes } from "./ask";
import { refuseOpenAi } from "./refuse";
import { listenToResponse } from "./response-events";

export const openAiResponses: Dialect = {
  name: "openai.responses",
  claims: () => true,
  ask(body) {
    const input = field(body.json, "input");
    const items: unknown[] = Array.isArray(input) ? input : [];
    return {
      ...askOpenAi(body, ["input", "instructions"]),
      operation: "chat",
      prompt: Array.isArray(input) ? lastTextOf(items, "user") : joinedText(input),
      system: textField(body.json, "instructions") || lastTextOf(items, "system", "developer"),
      messages: Array.isArray(input) ? JSON.stringify(withoutBytes(items)) : null,
    };
  },
  outgoing: ({ bytes }) => ({ path: "/v1/responses", body: bytes }),
  reply: (_asked, head, keep) => passingEvents(head, keep, listenToResponse),
  heartbeat: commentBeat,
  refuse: refuseOpenAi,
};
