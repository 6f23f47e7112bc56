/** Ollama's own `/api/generate`. */
import { type Dialect, field, textField } from "../dialect";
import { withoutImages } from "./chat";
import { askNative, emptyFrame, lowerNames, passingReply, refuseNative } from "./native";

export const ollamaGenerate: Dialect = {
  name: "ollama.generate",
  claims: () => true,
  ask(body) {
    const json = lowerNames(body.json);
    const images = field(json, "images");
    return {
      ...askNative(json),
      operation: "completion",
      prompt: textField(json, "prompt"),
      messages: Array.isArray(images) ? JSON.stringify([withoutImages({ images })]) : null,
    };
  },
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
