/**
 * What the events of `/v1/responses` say. The last one holds the whole reply again, and only it ends the stream: there
 * is no `[DONE]`. An error inside it Ollama does not pass on at all: the events just stop.
 */
import type { Failure } from "../../../errors";
import { countField, field, textField } from "../dialect";
import type { Figures, Heard } from "../heard";
import { errorWords, type Listener } from "../passing";
import { errorBody } from "./refuse";

interface Call {
  readonly type: string;
  readonly call_id: string | null;
  readonly name: string | null;
  arguments: string;
}

export function listenToResponse(heard: Heard): Listener {
  const calls = new Map<unknown, Call>();
  let sequence = -1;

  const begin = (item: unknown, at: number) => {
    const call = callOf(item);
    if (call === null) return;
    calls.set(field(item, "id"), call);
    heard.note({ text: null, thinking: null, toolCalls: [call] }, at);
  };
  const end = (response: unknown) => {
    const reason = textField(field(response, "incomplete_details"), "reason");
    heard.count({ ...inputOutputFigures(field(response, "usage")), finishReason: reason });
    if (textField(response, "status") === "failed")
      heard.end("engine_error", errorWords(response) ?? "Ollama says that it failed");
    // Ollama 0.33 calls complete what was cut at max_output_tokens too; OpenAI's own servers tell.
    else heard.end(reason === "max_output_tokens" ? "length" : "complete", null);
  };

  return {
    event(_event, json, at) {
      sequence = countField(json, "sequence_number") ?? sequence;
      const delta = textField(json, "delta");
      switch (textField(json, "type")) {
        case "response.output_text.delta":
          heard.note({ text: delta, thinking: null, toolCalls: [] }, at);
          break;
        case "response.reasoning_summary_text.delta":
        case "response.reasoning_text.delta":
          heard.note({ text: null, thinking: delta, toolCalls: [] }, at);
          break;
        case "response.output_item.added":
          begin(field(json, "item"), at);
          break;
        case "response.function_call_arguments.delta": {
          const call = calls.get(field(json, "item_id"));
          if (call) call.arguments += heard.fitting(delta ?? "");
          heard.beat(at);
          break;
        }
        case "response.completed":
        case "response.incomplete":
        case "response.failed":
          end(field(json, "response"));
      }
      return true;
    },
    whole(json, at) {
      const output = field(json, "output");
      if (!Array.isArray(output)) return heard.complain("Ollama answered with JSON that is no response");
      for (const item of output) {
        const toolCall = callOf(item);
        const text = textField(item, "type") === "message" ? textsOf(field(item, "content")) : null;
        const thinking = textsOf(field(item, "summary"));
        heard.note({ text, thinking, toolCalls: toolCall === null ? [] : [toolCall] }, at);
      }
      end(json);
    },
    errorOf: (json) =>
      errorWords(json) ?? (textField(json, "type") === "error" ? (textField(json, "message") ?? "") : null),
    fail: (failure) => errorEvent(failure, sequence + 1),
  };
}

/** OpenAI documents the fields at the top and sends them in `error`: clients look at either. */
function errorEvent(failure: Failure, sequence: number): string {
  const { error } = errorBody(failure);
  const { message, param, code } = error;
  const data = { type: "error", sequence_number: sequence, code, message, param, error };
  return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A function's call, or one of Ollama's own tools such as web_search_call. */
function callOf(item: unknown): Call | null {
  const type = textField(item, "type");
  if (!type?.endsWith("_call")) return null;
  const call = { type, call_id: textField(item, "call_id") ?? textField(item, "id") };
  const action = field(item, "action");
  const given = action === undefined ? (textField(item, "arguments") ?? "") : JSON.stringify(action);
  return { ...call, name: textField(item, "name"), arguments: given };
}

function textsOf(parts: unknown): string | null {
  if (!Array.isArray(parts)) return null;
  const texts = parts.flatMap((part) => textField(part, "text") ?? []);
  return texts.length > 0 ? texts.join("") : null;
}

/** What Ollama does not know it writes as 0; how many tokens were cached it does not know here, whatever they are. */
export function inputOutputFigures(usage: unknown): Figures {
  return {
    tokensIn: countField(usage, "input_tokens") || null,
    tokensOut: countField(usage, "output_tokens") || null,
    tokensCached: countField(field(usage, "input_tokens_details"), "cached_tokens") || null,
  };
}
