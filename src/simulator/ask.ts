/** Turns what a request says, whatever its dialect, into what the engine is asked. */

import type { Dialect } from "./answer";
import { type Body, numberOf, objectsOf, Refusal, textOf } from "./body";
import type { Ask } from "./generate";
import { goJson, isObject } from "./go-json";
import { isValidName, type Model } from "./models";
import { countTokens, type Prompt } from "./text";
import type { World } from "./world";

/** The parts of a request that matter to the engine. */
export type Wanted = {
  model: Model;
  /** The name as the client wrote it; Ollama repeats it in replies and errors. */
  name: string;
  messages: { role: string; text: string }[];
  tools: Prompt["tools"];
  options: Record<string, unknown>;
  think: unknown;
  json: boolean;
  keepAliveMs: number | undefined;
  /** Whether a prompt that is too long is cut; it is where nothing is said. */
  truncate?: boolean;
  /** Anthropic's API lets a client ask for thinking that the model cannot do. */
  relaxed?: boolean;
  /** The word in `"x" does not support chat`. */
  endpoint: "chat" | "generate";
};

/**
 * Finds a model.
 * @param missing what Ollama says when there is no name at all; that differs from route to route
 * @throws Refusal, BadBehaviour
 */
export function findModel(world: World, name: string, missing?: Refusal): Model {
  if (name === "") throw missing ?? new Refusal(404, "model '' not found");
  if (!isValidName(name)) throw new Refusal(400, "invalid model name");
  const model = world.shelf.find(name);
  if (model) return model;
  throw new Refusal(404, `model '${name}' not found`);
}

/** Notes that an inference request has arrived. */
export function noteArrival(world: World, request: Request, body: Body): void {
  const { pathname } = new URL(request.url);
  world.arrivals.arrived({ path: pathname, body: body.fields, headers: Object.fromEntries(request.headers) });
}

/** Checks what the model can do and makes the engine's order. @throws Refusal 400 */
export function makeAsk(wanted: Wanted): Ask {
  const { model, name, messages, options } = wanted;
  if (!model.capabilities.includes("completion")) {
    throw new Refusal(400, `${JSON.stringify(name)} does not support ${wanted.endpoint}`);
  }
  const canThink = model.capabilities.includes("thinking");
  const wantsThinking =
    wanted.think === undefined || wanted.think === null ? canThink : wanted.think !== false;
  if (wantsThinking && !canThink && !wanted.relaxed) {
    throw new Refusal(400, `${JSON.stringify(name)} does not support thinking`);
  }
  const text = messages.map((message) => message.text).join("\n");
  const identity = goJson([model.name, messages, wanted.json, numberOf(options.seed) ?? null]);
  return {
    model,
    prompt: {
      identity,
      lastUserText: messages.findLast((message) => message.role === "user")?.text ?? text,
      tools: wanted.tools,
      think: wantsThinking && canThink,
      json: wanted.json,
    },
    promptTokens: (contextLength) => promptTokens(wanted, contextLength),
    limit: numberOf(options.num_predict),
    contextLength: numberOf(options.num_ctx),
    keepAliveMs: wanted.keepAliveMs,
  };
}

/**
 * Tokens of what is left of a prompt, as Ollama fits it: the oldest messages are left out, but for system messages and the
 * last one; what is still too long is cut until half of what is not kept is free.
 * @throws Refusal in the words of its runner
 */
function promptTokens({ messages, options, truncate }: Wanted, contextLength: number): number {
  const count = (some: Wanted["messages"]) => countTokens(some.map(({ text }) => text).join("\n"));
  const all = count(messages);
  if (all < contextLength) return all;
  if (truncate === false) {
    const message = `request (${all} tokens) exceeds the available context size (${contextLength} tokens), try increasing it`;
    const told = { n_prompt_tokens: all, n_ctx: contextLength };
    throw new Refusal(
      400,
      goJson({ error: { code: 400, message, type: "exceed_context_size_error", ...told } }),
    );
  }
  let left = messages;
  for (let from = 1; from < messages.length && count(left) > contextLength; from++)
    left = messages.filter(({ role }, index) => index >= from || role === "system");
  const tokens = count(left);
  const kept = Math.min(numberOf(options.num_keep) ?? 4, contextLength - 1);
  return tokens < contextLength
    ? tokens
    : contextLength - Math.max(Math.floor((contextLength - kept) / 2), 1);
}

/** The same work without a reply, as for a load or an embedding: it keeps its times and its faults. */
export function withoutReply(ask: Ask): Ask {
  const { echo, tools, ...behaviour } = ask.model.behaviour;
  const prompt = { ...ask.prompt, json: false };
  return { ...ask, prompt, model: { ...ask.model, behaviour: { ...behaviour, tokens: 0 } } };
}

/** A dialect for answers that are never streamed. */
export function wholeDialect(wholeType: string, whole: Dialect["whole"]): Dialect {
  const nothing = () => "";
  return { streamHeaders: {}, wholeType, token: nothing, done: nothing, error: nothing, whole };
}

/** Tools in the form of Ollama and OpenAI. */
export function toolsOf(value: unknown): Prompt["tools"] {
  return objectsOf(value).map((tool) => {
    const definition = isObject(tool.function) ? tool.function : tool;
    const schema = isObject(definition.parameters) ? definition.parameters : definition.input_schema;
    const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
    return { name: textOf(definition.name), properties };
  });
}

/** The text of a message's content: text itself, or blocks of which some are text. */
export function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return objectsOf(content)
    .map((block) => (block.type === "text" ? textOf(block.text) : contentText(block.content)))
    .join("");
}

/** Messages with their texts. */
export function messagesOf(value: unknown): Wanted["messages"] {
  return objectsOf(value).map((message) => ({
    role: textOf(message.role).toLowerCase(),
    text: contentText(message.content),
  }));
}
