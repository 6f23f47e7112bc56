/** A request as a conversation: what each dialect calls differently, said in one way. */
import type { WholeRequest } from "../../../shared/api";
import { field, type KeptFile, keptFile, listField, structureIn, textField } from "./json";

export type Part =
  | { readonly kind: "text" | "thinking"; readonly text: string }
  | { readonly kind: "call"; readonly name: string; readonly value: unknown }
  | { readonly kind: "result"; readonly name: string; readonly parts: readonly Part[] }
  | { readonly kind: "file"; readonly file: KeptFile }
  /** What no dialect that we know has. */
  | { readonly kind: "json"; readonly value: unknown };

export interface Turn {
  /** As people say it: User, Assistant, Tool, … */
  readonly role: string;
  readonly parts: readonly Part[];
}

/** What was sent, oldest first. */
export function turnsOf(request: WholeRequest): Turn[] {
  const { messages, prompt, system, operation, options } = request;
  if (typeof messages === "string") return [{ role: "Messages", parts: textParts(messages) }];
  const list = Array.isArray(messages) ? messages : [];
  const names = callNames(list);
  const sent = list.map((message) => turnOf(message, names));
  // Beside a prompt there is no message but one that holds its images.
  const isBare = operation !== "chat" || list.length === 0;
  const bare = isBare && prompt !== null ? [{ role: bareRole(operation), parts: textParts(prompt) }] : [];
  const said = sent.some(
    ({ role, parts }) =>
      /system|developer/i.test(role) && parts.some((part) => part.kind === "text" && part.text === system),
  );
  const apart = system !== null && !said ? [{ role: "System", parts: textParts(system) }] : [];
  const sound = operation === "transcription" ? partOf(field(options, "file"), names) : [];
  return [...apart, ...sent, ...(sound.length > 0 ? [{ role: "Sound", parts: sound }] : []), ...bare];
}

/** What came back. */
export function replyOf({ thinking, response, tool_calls }: WholeRequest): Part[] {
  return [
    ...(thinking ? [{ kind: "thinking", text: thinking } as const] : []),
    ...textParts(response),
    ...(Array.isArray(tool_calls) ? tool_calls.map(callOf) : []),
  ];
}

function bareRole(operation: string): string {
  return operation === "embedding" ? "Input" : operation === "chat" ? "User" : "Prompt";
}

/** The names of the tools that were called, by the id that their results come with. */
function callNames(messages: readonly unknown[]): ReadonlyMap<string, string> {
  const calls = messages.flatMap((message) => [
    message,
    ...listField(message, "tool_calls"),
    ...listField(message, "content"),
  ]);
  return new Map(
    calls.flatMap((call) => {
      const id = textField(call, "call_id") ?? textField(call, "id");
      const name = textField(field(call, "function"), "name") ?? textField(call, "name");
      return id !== null && name !== null ? [[id, name] as const] : [];
    }),
  );
}

function turnOf(message: unknown, names: ReadonlyMap<string, string>): Turn {
  const type = textField(message, "type");
  const role = textField(message, "role")?.toLowerCase() ?? null;
  const content = field(message, "content");
  // What /v1/responses has beside messages.
  if (role === null && type?.endsWith("_call")) return { role: "Assistant", parts: [callOf(message)] };
  if (role === null && type?.endsWith("_call_output"))
    return { role: "Tool", parts: [resultOf(message, field(message, "output"), names)] };
  if (role === null && type === "reasoning") {
    const texts = [...listField(message, "summary"), ...listField(message, "content")];
    return { role: "Assistant", parts: texts.flatMap((one) => thinkingParts(textField(one, "text"))) };
  }
  if (role === "tool") return { role: "Tool", parts: [resultOf(message, content, names)] };
  const thinking =
    textField(message, "thinking") ??
    textField(message, "reasoning") ??
    textField(message, "reasoning_content");
  const parts = [
    ...thinkingParts(thinking),
    ...partsOf(content, names),
    ...listField(message, "images").flatMap((image) => partOf(image, names)),
    ...listField(message, "tool_calls").map(callOf),
  ];
  // Anthropic's tools answer in the user's name.
  const isResult = parts.length > 0 && parts.every(({ kind }) => kind === "result");
  const isKnown = role !== null || parts.length > 0;
  return {
    role: isResult ? "Tool" : capital(role ?? (isKnown ? "user" : "message")),
    parts: isKnown ? parts : [{ kind: "json", value: message }],
  };
}

function partsOf(content: unknown, names: ReadonlyMap<string, string>): Part[] {
  if (content === null || content === undefined) return [];
  return Array.isArray(content) ? content.flatMap((block) => partOf(block, names)) : partOf(content, names);
}

function partOf(block: unknown, names: ReadonlyMap<string, string>): Part[] {
  if (typeof block === "string") return textParts(block);
  const file = keptFile(block);
  if (file !== null) return [{ kind: "file", file }];
  const type = textField(block, "type");
  if (type === "tool_result") return [resultOf(block, field(block, "content"), names)];
  if (type?.endsWith("tool_use")) return [callOf(block)];
  const thinking = textField(block, "thinking");
  if (thinking !== null) return thinkingParts(thinking);
  const text = textField(block, "text") ?? textField(block, "refusal");
  return text === null ? [{ kind: "json", value: block }] : textParts(text);
}

/** Of a call's arguments some dialects make a text. */
function callOf(call: unknown): Part {
  const called = field(call, "function") ?? call;
  const given = field(called, "arguments") ?? field(called, "input");
  return {
    kind: "call",
    name: textField(called, "name") ?? textField(called, "type") ?? "a tool",
    value: typeof given === "string" ? (structureIn(given) ?? given) : given,
  };
}

function resultOf(message: unknown, content: unknown, names: ReadonlyMap<string, string>): Part {
  const id =
    textField(message, "tool_call_id") ?? textField(message, "tool_use_id") ?? textField(message, "call_id");
  const name = textField(message, "tool_name") ?? textField(message, "name") ?? names.get(id ?? "");
  return {
    kind: "result",
    name: name ?? "a tool",
    parts: partsOf(content, names).map((part) => {
      const json = part.kind === "text" ? structureIn(part.text) : null;
      return json === null ? part : { kind: "json", value: json };
    }),
  };
}

function textParts(text: string | null): Part[] {
  return text === null || text === "" ? [] : [{ kind: "text", text }];
}

function thinkingParts(text: string | null): Part[] {
  return text === null || text === "" ? [] : [{ kind: "thinking", text }];
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
