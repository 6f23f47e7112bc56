/** The API of Anthropic as Ollama speaks it: /v1/messages. */
import { answer, type Dialect } from "./answer";
import { contentText, findModel, makeAsk, messagesOf, noteArrival, toolsOf, withoutReply } from "./ask";
import { EarlyRefusal, objectsOf, readForeignBody, textOf } from "./body";
import { goJson, isObject } from "./go-json";
import { random } from "./random";
import type { World } from "./world";

const errorTypes: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  503: "overloaded_error",
  529: "overloaded_error",
};

/** An error in Anthropic's shape. */
export function anthropicError(status: number, message: string): object {
  const error = { type: errorTypes[status] ?? "api_error", message };
  return { type: "error", error, request_id: `req_${random(status, message).hex(24)}` };
}

/** POST /v1/messages */
export async function messages(world: World, request: Request): Promise<Response> {
  const types = { model: "string", max_tokens: "int", messages: "[]anthropic.MessageParam", stream: "bool" };
  const body = await readForeignBody(request, "anthropic.MessagesRequest", types);
  const { fields } = body;
  noteArrival(world, request, body);
  const name = textOf(fields.model);
  if (name === "") throw new EarlyRefusal(400, "model is required");
  const limit = typeof fields.max_tokens === "number" ? fields.max_tokens : 0;
  if (limit <= 0) throw new EarlyRefusal(400, "max_tokens is required and must be positive");
  const conversation = messagesOf(fields.messages);
  if (conversation.length === 0) throw new EarlyRefusal(400, "messages is required");
  for (const block of blocksOf(fields.messages)) checkImage(block);
  const system = contentText(fields.system);
  const ask = makeAsk({
    model: findModel(world, name),
    name,
    messages: system === "" ? conversation : [{ role: "system", text: system }, ...conversation],
    tools: toolsOf(fields.tools),
    options: { num_predict: limit },
    think: isObject(fields.thinking) && fields.thinking.type === "disabled" ? false : undefined,
    json: false,
    keepAliveMs: undefined,
    relaxed: true,
    endpoint: "chat",
  });
  const id = `msg_${random(world.settings.seed, "id", ask.prompt.identity).hex(24)}`;
  // Without anything said the model is only loaded.
  const loads = system === "" && conversation.every(({ text }) => text === "") && !hasMore(fields.messages);
  const dialect = messagesDialect(name, id, { estimated: estimate(fields), loads });
  const order = { ask: loads ? withoutReply(ask) : ask, dialect, stream: fields.stream === true };
  return await answer(world, order, request);
}

/** All blocks of the messages, those in the results of tools too. */
function blocksOf(messages: unknown): Record<string, unknown>[] {
  const blocks = objectsOf(messages).flatMap((message) => objectsOf(message.content));
  return [...blocks, ...blocks.flatMap((block) => objectsOf(block.content))];
}

/** Whether there is something beside texts. */
function hasMore(messages: unknown): boolean {
  return blocksOf(messages).some((block) => block.type !== "text");
}

function checkImage(block: Record<string, unknown>): void {
  if (block.type !== "image") return;
  const source = isObject(block.source) ? block.source : undefined;
  if (!source) throw new EarlyRefusal(400, "invalid image source");
  if (source.type !== "base64") {
    const type = textOf(source.type);
    throw new EarlyRefusal(400, `invalid image source type: ${type}. Only base64 images are supported.`);
  }
}

type Block = "text" | "thinking";

/**
 * @param estimated the number of input tokens that is told before the engine has counted them
 * @param loads whether nothing is said, so that the model is only loaded
 */
function messagesDialect(
  name: string,
  id: string,
  { estimated, loads }: { estimated: number; loads: boolean },
): Dialect {
  let opened = false;
  let called = false;
  let index = 0;
  let block: Block | undefined;

  const open = () => {
    if (opened) return "";
    opened = true;
    const usage = { input_tokens: estimated, output_tokens: 0 };
    const message = { id, type: "message", role: "assistant", model: name, content: [], usage };
    return event("message_start", { message });
  };
  const close = () => {
    if (block === undefined) return "";
    block = undefined;
    return event("content_block_stop", { index: index++ });
  };
  const write = (kind: Block, text: string) => {
    if (text === "") return "";
    let written = "";
    if (block !== kind) {
      written = close() + event("content_block_start", { index, content_block: { type: kind, [kind]: "" } });
      block = kind;
    }
    return written + event("content_block_delta", { index, delta: { type: `${kind}_delta`, [kind]: text } });
  };

  return {
    streamHeaders: { "content-type": "text/event-stream", "cache-control": "no-cache" },
    wholeType: "application/json",
    token({ content, thinking, tools }) {
      let written = open() + write("thinking", thinking) + write("text", content);
      for (const tool of tools) {
        called = true;
        const start = { type: "tool_use", id: tool.id, name: tool.function.name, input: {} };
        const delta = { type: "input_json_delta", partial_json: goJson(tool.function.arguments) };
        written += close();
        written += event("content_block_start", { index, content_block: start });
        written += event("content_block_delta", { index, delta });
        written += event("content_block_stop", { index: index++ });
      }
      return written;
    },
    done({ reason, timing }) {
      const usage = { input_tokens: timing.promptCount, output_tokens: timing.evalCount };
      const delta = { stop_reason: stopReason(loads ? "load" : reason, called) };
      return open() + close() + event("message_delta", { delta, usage }) + event("message_stop", {});
    },
    // Ollama loses the error line: the stream ends without a message_stop.
    error: () => "",
    whole({ content, thinking, tools, reason, timing }) {
      const blocks = [
        ...(thinking === "" ? [] : [{ type: "thinking", thinking }]),
        ...(content === "" ? [] : [{ type: "text", text: content }]),
        ...tools.map((tool) => ({
          type: "tool_use",
          id: tool.id,
          name: tool.function.name,
          input: tool.function.arguments,
        })),
      ];
      return `${goJson({
        id,
        type: "message",
        role: "assistant",
        model: name,
        content: blocks.length > 0 ? blocks : null,
        stop_reason: stopReason(loads ? "load" : reason, tools.length > 0),
        usage: { input_tokens: timing.promptCount, output_tokens: timing.evalCount },
      })}\n`;
    },
  };
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${goJson({ type, ...fields })}\n\n`;
}

function stopReason(reason: string, called: boolean): string {
  if (called) return "tool_use";
  if (reason === "stop") return "end_turn";
  return reason === "length" ? "max_tokens" : "stop_sequence";
}

/** Ollama's estimate: a quarter of the length, at least 1. */
function estimate(fields: Record<string, unknown>): number {
  const sized = (value: unknown) => (value === undefined ? 0 : contentText(value).length);
  const messages = objectsOf(fields.messages).reduce(
    (sum, message) => sum + textOf(message.role).length + sized(message.content),
    sized(fields.system),
  );
  const length = objectsOf(fields.tools).reduce(
    (sum, tool) =>
      sum +
      textOf(tool.name).length +
      textOf(tool.description).length +
      (isObject(tool.input_schema) ? goJson(tool.input_schema).length : 0),
    messages,
  );
  return Math.max(1, Math.floor(length / 4));
}
