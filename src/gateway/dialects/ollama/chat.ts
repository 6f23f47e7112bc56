/** Ollama's own `/api/chat`. */
import { type Dialect, field, textField } from "../dialect";
import { describeFile } from "../images";
import { askNative, emptyFrame, lowerNames, type Piece, passingReply, refuseNative } from "./native";

export const ollamaChat: Dialect = {
  name: "ollama.chat",
  claims: () => true,
  ask(body) {
    const json = lowerNames(body.json);
    const messages = field(json, "messages");
    const list: unknown[] = Array.isArray(messages) ? messages.map(lowerNames) : [];
    const lastOf = (role: string) =>
      textField(
        list.findLast((one) => textField(one, "role")?.toLowerCase() === role),
        "content",
      );
    return {
      ...askNative(json),
      operation: "chat",
      prompt: lastOf("user"),
      system: lastOf("system"),
      messages: messages === undefined ? null : JSON.stringify(list.map(withoutImages)),
    };
  },
  outgoing: (body) => ({ path: "/api/chat", body: body.bytes }),
  reply: (_asked, head, keep) => passingReply(head, keep, chatPiece),
  heartbeat: (asked) => emptyFrame(asked, { message: { role: "assistant", content: "" } }),
  refuse: refuseNative,
};

/** The piece in a frame of `/api/chat`. */
export function chatPiece(frame: unknown): Piece {
  const message = field(frame, "message");
  const calls = field(message, "tool_calls");
  return {
    text: textField(message, "content"),
    thinking: textField(message, "thinking"),
    toolCalls: Array.isArray(calls) ? calls : [],
  };
}

/** Images are kept as their type, size and digest, not as bytes. */
export function withoutImages(message: unknown): unknown {
  const images = field(message, "images");
  if (!Array.isArray(images) || typeof message !== "object") return message;
  return {
    ...message,
    images: images.map((image) => (typeof image === "string" ? describeFile(image) : null)),
  };
}
