/** Ollama's own inference API: /api/chat and /api/generate. */
import { answer, type Dialect } from "./answer";
import {
  findModel,
  makeAsk,
  messagesOf,
  noteArrival,
  toolsOf,
  type Wanted,
  wholeDialect,
  withoutReply,
} from "./ask";
import { type Body, keepAliveOf, Refusal, readBody, textOf } from "./body";
import { jsonResponse } from "./faults";
import type { Ask, Timing } from "./generate";
import { goJson, isObject } from "./go-json";
import { goTime } from "./go-time";
import { random } from "./random";
import type { Token } from "./text";
import type { World } from "./world";

const jsonType = "application/json; charset=utf-8";

const chatFields = {
  model: "string",
  messages: "[]api.Message",
  stream: "bool",
  tools: "[]api.Tool",
  options: "map[string]interface {}",
};
const generateFields = {
  model: "string",
  prompt: "string",
  suffix: "string",
  system: "string",
  template: "string",
  stream: "bool",
  raw: "bool",
  options: "map[string]interface {}",
};

/** POST /api/chat */
export async function chat(world: World, request: Request): Promise<Response> {
  const body = await readBody(request, "api.ChatRequest", chatFields);
  const { fields } = body;
  noteArrival(world, request, body);
  const name = textOf(fields.model);
  const model = findModel(world, name, new Refusal(400, "model is required"));
  const wanted = {
    ...common(body),
    model,
    name,
    messages: messagesOf(fields.messages),
    endpoint: "chat" as const,
  };
  if (wanted.messages.length === 0) {
    const empty = (reason: string) => ({
      model: name,
      created_at: goTime(),
      message: { role: "assistant", content: "" },
      done: true,
      done_reason: reason,
    });
    return await loadOnly(world, wanted, request, empty);
  }
  const dialect = nativeDialect(name, chatParts, () => undefined);
  return await answer(world, { ask: makeAsk(wanted), dialect, stream: fields.stream !== false }, request);
}

/** POST /api/generate */
export async function generateText(world: World, request: Request): Promise<Response> {
  const body = await readBody(request, "api.GenerateRequest", generateFields);
  const { fields } = body;
  noteArrival(world, request, body);
  const name = textOf(fields.model);
  const model = findModel(world, name);
  const system = textOf(fields.system);
  const prompt = textOf(fields.prompt);
  const messages = [
    ...(system === "" ? [] : [{ role: "system", text: system }]),
    { role: "user", text: prompt },
  ];
  const wanted = { ...common(body), model, name, messages, endpoint: "generate" as const };
  if (prompt === "") {
    const empty = (reason: string) => ({
      model: name,
      created_at: goTime(),
      response: "",
      done: true,
      done_reason: reason,
    });
    return await loadOnly(world, wanted, request, empty);
  }
  const ask = makeAsk(wanted);
  const context = fields.raw === true ? () => undefined : (count: number) => contextOf(world, ask, count);
  const dialect = nativeDialect(name, generateParts, context);
  return await answer(world, { ask, dialect, stream: fields.stream !== false }, request);
}

function common({ fields }: Body) {
  return {
    tools: toolsOf(fields.tools),
    options: isObject(fields.options) ? fields.options : {},
    think: fields.think,
    json: fields.format !== undefined && fields.format !== null && fields.format !== "",
    keepAliveMs: keepAliveOf(fields.keep_alive),
    truncate: fields.truncate !== false,
  };
}

/** A request without a prompt loads the model, or unloads it when it is not to be kept. */
async function loadOnly(
  world: World,
  wanted: Wanted,
  request: Request,
  empty: (reason: string) => unknown,
): Promise<Response> {
  if (wanted.keepAliveMs === 0) {
    world.memory.unload(wanted.model.name);
    return jsonResponse(empty("unload"));
  }
  const dialect = wholeDialect(jsonType, () => goJson(empty("load")));
  return await answer(world, { ask: withoutReply(makeAsk(wanted)), dialect, stream: false }, request);
}

function chatParts({ content, thinking, tools }: Token) {
  const message = {
    role: "assistant",
    content,
    thinking: thinking || undefined,
    tool_calls: tools.length > 0 ? tools : undefined,
  };
  return { before: { message }, after: {} };
}

function generateParts({ content, thinking, tools }: Token) {
  return {
    before: { response: content, thinking: thinking || undefined },
    after: { tool_calls: tools.length > 0 ? tools : undefined },
  };
}

/** `parts` differ between the two routes: fields before `done`, and fields after the numbers. */
function nativeDialect(
  name: string,
  parts: (token: Token) => { before: object; after: object },
  context: (tokens: number) => number[] | undefined,
): Dialect {
  const nothing: Token = { content: "", thinking: "", tools: [] };
  const finished = (token: Token, reason: string, timing: Timing) => {
    const { before, after } = parts(token);
    return goJson({
      model: name,
      created_at: goTime(),
      ...before,
      done: true,
      done_reason: reason,
      context: context(timing.promptCount + timing.evalCount),
      total_duration: timing.total || undefined,
      load_duration: timing.load || undefined,
      prompt_eval_count: timing.promptCount || undefined,
      prompt_eval_duration: timing.prompt || undefined,
      eval_count: timing.evalCount || undefined,
      eval_duration: timing.eval || undefined,
      ...after,
    });
  };
  return {
    streamHeaders: { "content-type": "application/x-ndjson" },
    wholeType: jsonType,
    token(token) {
      const { before, after } = parts(token);
      return `${goJson({ model: name, created_at: goTime(), ...before, done: false, ...after })}\n`;
    },
    done: ({ reason, timing }) => `${finished(nothing, reason, timing)}\n`,
    error: (message) => `${goJson({ error: message })}\n`,
    whole: ({ reason, timing, ...token }) => finished(token, reason, timing),
  };
}

const longestContext = 4096;

/** The deprecated `context`: the numbers of the tokens of the conversation so far. */
function contextOf(world: World, ask: Ask, tokens: number): number[] {
  const source = random(world.settings.seed, "context", ask.prompt.identity);
  return Array.from({ length: Math.min(tokens, longestContext) }, () => source.between(0, 128_000));
}
