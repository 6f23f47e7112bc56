/**
 * Anthropic's `/v1/messages` as Ollama speaks it. Bytes pass as they came; only a stream that broke gets an error event
 * appended: of an engine that fails in mid-stream Ollama itself says nothing here, it just ends (tried on 0.33).
 */
import type { Outcome } from "../../../ledger/record";
import { countField, type Dialect, field, textField } from "../dialect";
import type { Figures, Heard } from "../heard";
import { errorWords, type Listener, passingEvents } from "../passing";
import { eventStream } from "../sse";
import { askMessages } from "./ask";
import { errorEvent, refuseAnthropic } from "./errors";

export const anthropicMessages: Dialect = {
  name: "anthropic.messages",
  claims: () => true,
  ask: askMessages,
  outgoing: (body) => ({ path: "/v1/messages", body: body.bytes }),
  reply: (_asked, head, keep) => passingEvents(head, keep, (heard) => new MessagesListener(heard)),
  heartbeat: () => ({ headers: eventStream(), bytes: ping }),
  refuse: refuseAnthropic,
};

/** Anthropic's own sign of life, which its clients skip. */
const ping = new TextEncoder().encode('event: ping\ndata: {"type": "ping"}\n\n');

/** A tool call in the shape of the other dialects; `arguments` is text while it comes. */
interface ToolCall {
  readonly id: string | null;
  readonly function: { readonly name: string | null; arguments: unknown };
}

class MessagesListener implements Listener {
  readonly #heard: Heard;
  /** The tool calls that are coming, by their block's index. */
  readonly #calls = new Map<unknown, ToolCall>();
  /** What `message_start` said: an estimate where Ollama says it again at the end, a count where nobody does. */
  #startUsage: unknown = null;
  #stopReason: string | null = null;

  constructor(heard: Heard) {
    this.#heard = heard;
  }

  readonly errorOf = errorWords;
  readonly fail = errorEvent;

  event(_event: unknown, json: unknown, at: number): boolean {
    const index = field(json, "index");
    switch (field(json, "type")) {
      case "message_start":
        this.#startUsage = field(field(json, "message"), "usage");
        break;
      case "content_block_start":
        this.#block(field(json, "content_block"), index, at);
        break;
      case "content_block_delta":
        this.#delta(field(json, "delta"), index, at);
        break;
      case "content_block_stop":
        this.#closed(index);
        break;
      case "message_delta":
        this.#stopReason = textField(field(json, "delta"), "stop_reason");
        this.#heard.count({
          ...usageOf(field(json, "usage"), this.#startUsage),
          finishReason: this.#stopReason,
        });
        break;
      case "message_stop":
        this.#heard.end(outcomeOf(this.#stopReason), null);
        break;
    }
    return true;
  }

  whole(json: unknown, at: number): void {
    if (field(json, "type") !== "message") {
      this.#heard.complain("Ollama answered with JSON that is no message");
      return;
    }
    const content = field(json, "content");
    for (const [index, block] of (Array.isArray(content) ? content : []).entries()) {
      this.#block(block, index, at);
      this.#closed(index);
    }
    const stopReason = textField(json, "stop_reason");
    this.#heard.count({ ...usageOf(field(json, "usage"), null), finishReason: stopReason });
    this.#heard.end(outcomeOf(stopReason), null);
  }

  #block(block: unknown, index: unknown, at: number): void {
    const type = field(block, "type");
    if (type === "text") this.#say(textField(block, "text"), null, at);
    else if (type === "thinking") this.#say(null, textField(block, "thinking"), at);
    else if (type === "tool_use" || type === "server_tool_use") {
      const input = field(block, "input") ?? {};
      const call = {
        id: textField(block, "id"),
        function: { name: textField(block, "name"), arguments: input },
      };
      this.#calls.set(index, call);
      this.#heard.note({ text: null, thinking: null, toolCalls: [call] }, at);
    }
  }

  #delta(delta: unknown, index: unknown, at: number): void {
    this.#say(textField(delta, "text"), textField(delta, "thinking"), at);
    const json = textField(delta, "partial_json");
    const call = this.#calls.get(index)?.function;
    if (!json || !call) return;
    call.arguments = (typeof call.arguments === "string" ? call.arguments : "") + this.#heard.fitting(json);
    this.#heard.beat(at);
  }

  #closed(index: unknown): void {
    const call = this.#calls.get(index)?.function;
    this.#calls.delete(index);
    if (typeof call?.arguments !== "string") return;
    try {
      call.arguments = JSON.parse(call.arguments);
    } catch {
      // Kept as the text that came.
    }
  }

  #say(text: string | null, thinking: string | null, at: number): void {
    this.#heard.note({ text, thinking, toolCalls: [] }, at);
  }
}

function outcomeOf(stopReason: string | null): Outcome {
  return stopReason === "max_tokens" ? "length" : "complete";
}

/** @param start what was said at the start, for what is not said at the end */
function usageOf(usage: unknown, start: unknown): Figures {
  const of = (name: string) => countField(usage, name) ?? countField(start, name);
  const [fresh, tokensOut] = [of("input_tokens"), countField(usage, "output_tokens")];
  // Both 0 is Ollama's way to say that the engine counted nothing, as where a model was only loaded.
  if (!fresh && !tokensOut) return {};
  const [read, written] = [of("cache_read_input_tokens"), of("cache_creation_input_tokens")];
  // Anthropic counts what the cache held apart from the rest; everywhere else it is a part of what went in.
  const tokensIn = fresh === null ? null : fresh + (read ?? 0) + (written ?? 0);
  return { tokensIn: tokensIn || null, tokensOut, tokensCached: read };
}
