/** Ollama's own `/api/generate`. */
import { type Dialect, field, textField } from "../dialect";
import { withoutImages } from "./chat";
import { askNative, emptyFrame, passingReply, refuseNative } from "./native";

export const ollamaGenerate: Dialect = {
  name: "ollama.generate",
  claims: () => true,
  ask: (body) => ({
    ...askNative(body),
    operation: "completion",
    prompt: textField(body.json, "prompt"),
    messages: Array.isArray(field(body.json, "images"))
      ? JSON.stringify([withoutImages({ images: field(body.json, "images") })])
      : null,
  }),
  outgoing: (body) => ({ path: "/api/generate", body: body.bytes }),
  reply: (_asked, head, keep) =>
    passingReply(head, keep, (frame) => ({
      text: textField(frame, "response"),
      thinking: textField(frame, "thinking"),
      toolCalls: [],
    })),
  heartbeat: (asked) => emptyFrame(asked, { response: "" }),
  refuse: refuseNative,
};
