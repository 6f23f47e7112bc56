/** OpenAI's /v1/responses as Ollama speaks it. */
import { answer, type Dialect } from "./answer";
import { findModel, makeAsk, noteArrival, toolsOf } from "./ask";
import { EarlyRefusal, objectsOf, Refusal, readForeignBody, textOf } from "./body";
import type { Timing } from "./generate";
import { goJson, isObject } from "./go-json";
import { random } from "./random";
import type { ToolCall } from "./text";
import type { World } from "./world";

type Fields = Record<string, unknown>;

/** POST /v1/responses */
export async function responses(world: World, request: Request): Promise<Response> {
  const types = { model: "string", instructions: "string", stream: "bool", max_output_tokens: "int" };
  const body = await readForeignBody(request, "openai.ResponsesRequest", types);
  const { fields } = body;
  noteArrival(world, request, body);
  const name = textOf(fields.model);
  const instructions = textOf(fields.instructions);
  const system = instructions === "" ? [] : [{ role: "system", text: instructions }];
  const effort = isObject(fields.reasoning) ? fields.reasoning.effort : undefined;
  const format = isObject(fields.text) && isObject(fields.text.format) ? fields.text.format : {};
  const ask = makeAsk({
    model: findModel(world, name, new Refusal(400, "model is required")),
    name,
    messages: [...system, ...messagesOf(fields.input)],
    tools: toolsOf(fields.tools),
    options: { num_predict: fields.max_output_tokens },
    think: effort === "none" ? false : effort,
    json: format.type === "json_schema",
    keepAliveMs: undefined,
    endpoint: "chat",
  });
  const id = random(world.settings.seed, "id", ask.prompt.identity).between(0, 999_998);
  const dialect = responsesDialect(name, id, fields);
  return await answer(world, { ask, dialect, stream: fields.stream === true }, request);
}

function messagesOf(input: unknown): { role: string; text: string }[] {
  if (typeof input === "string") return [{ role: "user", text: input }];
  return objectsOf(input).flatMap((item, index) => {
    const type = textOf(item.type) || "message";
    if (!/^(message|function_call|function_call_output|reasoning|web_search_call)$/.test(type))
      throw new EarlyRefusal(400, `input[${index}]: unknown input item type: ${JSON.stringify(type)}`);
    if (type === "message") return [{ role: textOf(item.role), text: partsText(item.content) }];
    return type === "function_call_output" ? [{ role: "tool", text: partsText(item.output) }] : [];
  });
}

function partsText(content: unknown): string {
  if (typeof content === "string") return content;
  return objectsOf(content)
    .map((part) => textOf(part.text))
    .join("");
}

function responsesDialect(name: string, id: number, request: Fields): Dialect {
  const message = { id: `msg_${id}`, type: "message", role: "assistant" };
  const reasoning = { id: `rs_${id}`, type: "reasoning" };
  const output: Fields[] = [];
  let sequence = 0;
  let text = "";
  let thinking = "";
  let textBegun = false;
  let called = false;

  const event = (type: string, fields: Fields) =>
    `event: ${type}\ndata: ${goJson(sorted({ ...fields, type, sequence_number: sequence++ }))}\n\n`;
  const response = (status: string, usage: object | null) =>
    responseOf(`resp_${id}`, name, request, { status, output: [...output], usage });
  const open = () => {
    if (sequence > 0) return "";
    const fields = { response: response("in_progress", null) };
    return event("response.created", fields) + event("response.in_progress", fields);
  };
  const at = () => ({ output_index: output.length });
  const endThinking = () => {
    if (thinking === "") return "";
    const item = {
      ...reasoning,
      summary: [{ text: thinking, type: "summary_text" }],
      encrypted_content: thinking,
    };
    const place = { ...at(), item_id: item.id, summary_index: 0 };
    const told =
      event("response.reasoning_summary_text.done", { ...place, text: thinking }) +
      event("response.output_item.done", { ...at(), item: item });
    output.push(item);
    thinking = "";
    return told;
  };
  const think = (delta: string) => {
    const begun = thinking !== "";
    thinking += delta;
    const item = { ...reasoning, summary: [] };
    return (
      (begun ? "" : event("response.output_item.added", { ...at(), item })) +
      event("response.reasoning_summary_text.delta", {
        ...at(),
        item_id: reasoning.id,
        summary_index: 0,
        delta,
      })
    );
  };
  const say = (delta: string) => {
    let told = endThinking();
    const place = { ...at(), item_id: message.id, content_index: 0 };
    if (!textBegun) {
      const item = { ...message, status: "in_progress", content: [] };
      told += event("response.output_item.added", { ...at(), item });
      told += event("response.content_part.added", { ...place, part: partOf("") });
    }
    textBegun = true;
    text += delta;
    return told + event("response.output_text.delta", { ...place, delta, logprobs: [] });
  };
  const call = (tool: ToolCall) => {
    const item = callOf(`fc_${id}_${output.length}`, tool);
    const place = { ...at(), item_id: item.id };
    const begun = { ...item, status: "in_progress", arguments: "" };
    const told =
      endThinking() +
      event("response.output_item.added", { ...at(), item: begun }) +
      event("response.function_call_arguments.delta", { ...place, delta: item.arguments }) +
      event("response.function_call_arguments.done", { ...place, arguments: item.arguments }) +
      event("response.output_item.done", { ...at(), item: item });
    output.push(item);
    called = true;
    return told;
  };
  const endText = () => {
    if (!textBegun) return "";
    const place = { ...at(), item_id: message.id, content_index: 0 };
    const item = { ...message, status: "completed", content: [partOf(text)] };
    const told =
      event("response.output_text.done", { ...place, text, logprobs: [] }) +
      event("response.content_part.done", { ...place, part: partOf(text) }) +
      event("response.output_item.done", { ...at(), item });
    output.push(item);
    return told;
  };

  return {
    streamHeaders: { "content-type": "text/event-stream", "cache-control": "no-cache" },
    wholeType: "application/json",
    token: (token) =>
      open() +
      (token.thinking === "" ? "" : think(token.thinking)) +
      token.tools.map(call).join("") +
      (token.content === "" || called ? "" : say(token.content)),
    done({ timing }) {
      const told = open() + endThinking() + endText();
      const completed = { ...response("completed", usageOf(timing)), completed_at: seconds() };
      return told + event("response.completed", { response: completed });
    },
    // An error in mid-stream is told by nothing but that the events end.
    error: () => open(),
    whole({ content, thinking: thoughts, tools, timing }) {
      const summary = [{ type: "summary_text", text: thoughts }];
      if (thoughts !== "")
        output.push({ id: `rs_resp_${id}`, type: "reasoning", summary, encrypted_content: thoughts });
      output.push(...tools.map((tool, index) => callOf(`fc_resp_${id}_${index}`, tool)));
      if (tools.length === 0)
        output.push({
          id: message.id,
          type: "message",
          status: "completed",
          role: "assistant",
          content: [partOf(content)],
        });
      const whole = response("completed", usageOf(timing));
      return `${goJson({ ...whole, completed_at: seconds() })}\n`;
    },
  };
}

function responseOf(id: string, model: string, request: Fields, state: Fields): Fields {
  return {
    id,
    object: "response",
    created_at: seconds(),
    completed_at: null,
    status: state.status,
    incomplete_details: null,
    model,
    previous_response_id: null,
    instructions: request.instructions ?? null,
    output: state.output,
    error: null,
    tools: objectsOf(request.tools).map((tool) => ({ ...tool, parameters: sorted(tool.parameters) })),
    tool_choice: "auto",
    truncation: request.truncation ?? "disabled",
    parallel_tool_calls: true,
    text: request.text ?? { format: { type: "text" } },
    top_p: request.top_p ?? 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    top_logprobs: 0,
    temperature: request.temperature ?? 1,
    reasoning: request.reasoning ?? null,
    usage: state.usage,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: null,
    store: false,
    background: false,
    service_tier: "default",
    metadata: {},
    safety_identifier: null,
    prompt_cache_key: null,
  };
}

/** Ollama writes 0 for what it does not look up. */
function usageOf({ promptCount, evalCount }: Timing): object {
  return {
    input_tokens: promptCount,
    output_tokens: evalCount,
    total_tokens: promptCount + evalCount,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
  };
}

function callOf(id: string, { id: callId, function: { name, arguments: values } }: ToolCall) {
  return { id, type: "function_call", status: "completed", call_id: callId, name, arguments: goJson(values) };
}

function partOf(text: string): object {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

/** Its events are Go's maps, whose keys come in the order of the alphabet; a schema it keeps as it came. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, name === "schema" ? inner : sorted(inner)]),
  );
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
