/** OpenAI's `/v1/chat/completions`. */
import { type Dialect, field, textField } from "../dialect";
import type { Heard } from "../heard";
import { passingEvents } from "../passing";
import { commentBeat } from "../sse";
import { askOpenAi, lastTextOf, withoutBytes } from "./ask";
import { listenToChunks } from "./chunks";
import { refuseOpenAi } from "./refuse";
import { findUsageSplice, withSplice } from "./splice";

export const openAiChat: Dialect = {
  name: "openai.chat",
  claims: () => true,
  ask(body) {
    const messages = field(body.json, "messages");
    const list: unknown[] = Array.isArray(messages) ? messages : [];
    return {
      ...askOpenAi(body, ["messages"]),
      operation: "chat",
      prompt: lastTextOf(list, "user"),
      system: lastTextOf(list, "system", "developer"),
      messages: messages === undefined ? null : JSON.stringify(withoutBytes(list)),
      // Without it a stream is not counted at all.
      splice: findUsageSplice(body),
    };
  },
  outgoing: ({ bytes }, { splice }) => ({
    path: "/v1/chat/completions",
    body: splice ? withSplice(bytes, splice) : bytes,
  }),
  reply: ({ splice }, head, keep) =>
    passingEvents(head, keep, (heard) =>
      listenToChunks(heard, { note: notesOf(heard), hidesUsage: Boolean(splice) }),
    ),
  heartbeat: commentBeat,
  refuse: refuseOpenAi,
};

interface Call {
  readonly id: string | null;
  readonly type: string;
  readonly function: { readonly name: string | null; arguments: string };
}

/** Notes what a choice's delta or message says. */
function notesOf(heard: Heard): (choice: unknown, at: number) => void {
  /** By their index. They come whole from Ollama; OpenAI lets them come in fragments. */
  const calls = new Map<unknown, Call>();

  /** @returns the calls that begin here */
  function add(fragments: readonly unknown[]): Call[] {
    return fragments.flatMap((fragment) => {
      const id = textField(fragment, "id");
      const called = field(fragment, "function");
      const given = heard.fitting(textField(called, "arguments") ?? "");
      const known = calls.get(field(fragment, "index"));
      // Another id under the same index is another call.
      if (known && (id === null || id === known.id)) {
        known.function.arguments += given;
        return [];
      }
      const name = textField(called, "name");
      const call = { id, type: "function", function: { name, arguments: given } };
      calls.set(field(fragment, "index"), call);
      return [call];
    });
  }

  return (choice, at) => {
    const said = field(choice, "delta") ?? field(choice, "message");
    const fragments = field(said, "tool_calls");
    const toolCalls = Array.isArray(fragments) ? add(fragments) : [];
    const text = textField(said, "content");
    const thinking = textField(said, "reasoning");
    heard.note({ text, thinking, toolCalls }, at);
    if (Array.isArray(fragments) && fragments.length > 0 && toolCalls.length === 0) heard.beat(at);
  };
}
