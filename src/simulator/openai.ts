/** The API of OpenAI as Ollama speaks it: /v1/chat/completions, /v1/completions, /v1/models. */
import { answer, type Dialect } from "./answer";
import { findModel, makeAsk, messagesOf, noteArrival, toolsOf } from "./ask";
import { EarlyRefusal, objectsOf, Refusal, readForeignBody, textOf } from "./body";
import { findShown } from "./catalogue";
import type { Finish, Timing } from "./generate";
import { goJson, isObject } from "./go-json";
import type { Model } from "./models";
import { random } from "./random";
import type { Token, ToolCall } from "./text";
import type { World } from "./world";

const errorTypes: Record<number, string> = { 400: "invalid_request_error", 404: "not_found_error" };

/** An error in OpenAI's shape. */
export function openaiError(status: number, message: string): object {
  return { error: { message, type: errorTypes[status] ?? "api_error", param: null, code: null } };
}

/** GET /v1/models */
export function models(world: World): Response {
  const data = world.shelf.list().map((model) => listed(model, model.name));
  // An empty list is null: Go's nil slice.
  return json({ object: "list", data: data.length > 0 ? data : null });
}

/** GET /v1/models/:model */
export function model(world: World, name: string): Response {
  return json(listed(findShown(world, name), name));
}

/** POST /v1/chat/completions */
export async function chatCompletions(world: World, request: Request): Promise<Response> {
  const types = {
    model: "string",
    messages: "[]openai.Message",
    stream: "bool",
    max_tokens: "int",
    seed: "int",
  };
  const body = await readForeignBody(request, "openai.ChatCompletionRequest", types);
  const { fields } = body;
  noteArrival(world, request, body);
  const messages = messagesOf(fields.messages);
  if (messages.length === 0) throw new EarlyRefusal(400, "[] is too short - 'messages'");
  checkImages(fields.messages);
  const name = textOf(fields.model);
  const model = findModel(world, name, new Refusal(400, "model is required"));
  const ask = makeAsk({
    model,
    name,
    messages,
    tools: toolsOf(fields.tools),
    options: optionsOf(fields),
    think: thinkOf(fields),
    json: isObject(fields.response_format) && textOf(fields.response_format.type).startsWith("json"),
    keepAliveMs: undefined,
    endpoint: "chat",
  });
  const dialect = chatDialect(name, `chatcmpl-${idOf(world, ask.prompt.identity)}`, wantsUsage(fields));
  return await answer(world, { ask, dialect, stream: fields.stream === true }, request);
}

/** POST /v1/completions */
export async function completions(world: World, request: Request): Promise<Response> {
  const types = { model: "string", prompt: "string", stream: "bool", max_tokens: "int", seed: "int" };
  const body = await readForeignBody(request, "openai.CompletionRequest", types);
  const { fields } = body;
  noteArrival(world, request, body);
  const name = textOf(fields.model);
  const ask = makeAsk({
    model: findModel(world, name),
    name,
    messages: [{ role: "user", text: textOf(fields.prompt) }],
    tools: [],
    options: optionsOf(fields),
    think: undefined,
    json: false,
    keepAliveMs: undefined,
    endpoint: "generate",
  });
  const dialect = completionDialect(name, `cmpl-${idOf(world, ask.prompt.identity)}`, wantsUsage(fields));
  return await answer(world, { ask, dialect, stream: fields.stream === true }, request);
}

const done = "data: [DONE]\n\n";
const streamHeaders = { "content-type": "text/event-stream" };
const wholeType = "application/json";
const fingerprint = { system_fingerprint: "fp_ollama" };

/** @throws EarlyRefusal for an address: Ollama fetches nothing */
function checkImages(messages: unknown): void {
  for (const { image_url } of objectsOf(messages).flatMap(({ content }) => objectsOf(content))) {
    const url = isObject(image_url) ? textOf(image_url.url) : textOf(image_url);
    if (/^https?:/.test(url))
      throw new EarlyRefusal(
        400,
        "image URLs are not currently supported, please use base64 encoded data instead",
      );
  }
}

function chatDialect(name: string, id: string, withUsage: boolean): Dialect {
  const created = seconds();
  let opened = false;
  const chunk = (choices: object[], model: string, usage?: object) =>
    data({ id, object: "chat.completion.chunk", created, model, ...fingerprint, choices, usage });
  const say = (token: Token, model: string) => {
    const delta = {
      role: opened ? undefined : "assistant",
      content: token.content,
      reasoning: token.thinking || undefined,
      tool_calls: calls(token.tools),
    };
    opened = true;
    return chunk([{ index: 0, delta, finish_reason: null }], model);
  };
  let called = false;
  const nothing: Token = { content: "", thinking: "", tools: [] };
  return {
    streamHeaders,
    wholeType,
    token(token) {
      called ||= token.tools.length > 0;
      return say(token, name);
    },
    done({ reason, timing }) {
      const opening = opened ? "" : say(nothing, name);
      const finish = chunk([{ index: 0, delta: {}, finish_reason: finishReason(reason, called) }], name);
      return opening + finish + (withUsage ? chunk([], name, usageOf(timing)) : "") + done;
    },
    // Ollama reads the error line as a chunk like any other: its text is lost and no [DONE] follows.
    error: () => say(nothing, ""),
    whole: ({ content, thinking, tools, reason, timing }) =>
      `${goJson({
        id,
        object: "chat.completion",
        created,
        model: name,
        ...fingerprint,
        choices: [
          {
            index: 0,
            message: {
              role: "assistant",
              content,
              reasoning: thinking || undefined,
              tool_calls: calls(tools),
            },
            finish_reason: finishReason(reason, tools.length > 0),
          },
        ],
        usage: usageOf(timing),
      })}\n`,
  };
}

function completionDialect(name: string, id: string, withUsage: boolean): Dialect {
  const chunk = (model: string, choices: object[], usage: object | undefined) =>
    data({ id, object: "text_completion", created: seconds(), choices, model, ...fingerprint, usage });
  const zero = withUsage ? { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } : undefined;
  const choice = (text: string, reason: string | null) => ({ text, index: 0, finish_reason: reason });
  return {
    streamHeaders,
    wholeType,
    token: (token) => chunk(name, [choice(token.content, null)], zero),
    done: ({ reason, timing }: Finish) =>
      chunk(name, [choice("", reason)], zero) + (withUsage ? chunk(name, [], usageOf(timing)) : "") + done,
    error: () => chunk("", [choice("", null)], zero),
    whole: ({ content, reason, timing }) =>
      `${goJson({
        id,
        object: "text_completion",
        created: seconds(),
        model: name,
        ...fingerprint,
        choices: [choice(content, reason)],
        usage: usageOf(timing),
      })}\n`,
  };
}

function data(value: unknown): string {
  return `data: ${goJson(value)}\n\n`;
}

function json(value: unknown): Response {
  return new Response(`${goJson(value)}\n`, { headers: { "content-type": "application/json" } });
}

function listed(model: Model, id: string): object {
  const owner = id.includes("/") ? (id.split("/").at(-2) ?? "library") : "library";
  return { id, object: "model", created: Math.floor(model.modifiedAt / 1000), owned_by: owner };
}

function calls(tools: ToolCall[]): object[] | undefined {
  if (tools.length === 0) return undefined;
  return tools.map(({ id, function: { index, name, arguments: values } }) => ({
    id,
    index,
    type: "function",
    function: { name, arguments: goJson(values) },
  }));
}

function finishReason(reason: string, called: boolean): string {
  return reason === "stop" && called ? "tool_calls" : reason;
}

function usageOf({ promptCount, evalCount }: Timing): object {
  return {
    prompt_tokens: promptCount,
    completion_tokens: evalCount,
    total_tokens: promptCount + evalCount,
  };
}

function optionsOf(fields: Record<string, unknown>): Record<string, unknown> {
  return { num_predict: fields.max_tokens, seed: fields.seed };
}

function thinkOf(fields: Record<string, unknown>): unknown {
  const effort = isObject(fields.reasoning) ? fields.reasoning.effort : fields.reasoning_effort;
  return effort === "none" ? false : effort;
}

function wantsUsage(fields: Record<string, unknown>): boolean {
  return isObject(fields.stream_options) && fields.stream_options.include_usage === true;
}

/** Ollama's ids are numbers below 999, and so collide; here they follow from the request. */
function idOf(world: World, identity: string): number {
  return random(world.settings.seed, "id", identity).between(0, 998);
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
