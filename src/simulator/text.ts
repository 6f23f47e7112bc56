/** What the made-up model says: a row of tokens that depends on nothing but the seed and the request. */
import type { Behaviour } from "./behaviour";
import { type Random, random } from "./random";

/** One step of a reply; a tool call counts as one token. */
export type Token = { content: string; thinking: string; tools: ToolCall[] };

export type ToolCall = {
  id: string;
  function: { index: number; name: string; arguments: Record<string, unknown> };
};

/** What a reply is made from. */
export type Prompt = {
  /** Everything that makes this request differ from others. */
  identity: string;
  lastUserText: string;
  /** Names and parameters of the tools that the client offers. */
  tools: { name: string; properties: Record<string, unknown> }[];
  think: boolean;
  json: boolean;
};

const words = [
  ..."the a river horse meadow gate keeper morning slowly bright quiet carries opens over under between".split(
    " ",
  ),
  ..."rope stone water light small herd field walks counts waits remembers answers without hurry and".split(
    " ",
  ),
];
const oddities = [' "quite so"', " a < b", " fish & chips", ".\n\n", ",", "."];
const foreign = [" 🐎", " 日本語", " naïve", "👩‍👩‍👧‍👦", " Ελλάδα", " 🇩🇪", ' "Straße"', "\n", " e\u0301"];

/** The tokens of a reply, before any limit of the request. */
export function replyTokens(prompt: Prompt, behaviour: Behaviour, seed: number): Token[] {
  const source = random(seed, prompt.identity);
  if (behaviour.tools) {
    const call = token({ tools: [toolCall(prompt, source)] });
    return prompt.think ? [token({ thinking: word(source, behaviour, 0) }), call] : [call];
  }
  const length = behaviour.tokens ?? behaviour.long ?? source.between(12, 40);
  const texts = behaviour.echo
    ? split(prompt.lastUserText)
    : prompt.json
      ? ["{", '"answer"', ":", ` "${source.pick(words)}"`, "}"]
      : Array.from({ length }, (_, index) => word(source, behaviour, index));
  const spoilt = texts.map((text, index) => (index % 3 === 1 ? spoil(text, behaviour) : text));
  const thoughts = prompt.think ? Math.ceil(spoilt.length / 3) : 0;
  return spoilt.map((text, index) =>
    index < thoughts ? token({ thinking: text }) : token({ content: text }),
  );
}

/** How many tokens a prompt is counted as: its words, and at least one. */
export function countTokens(text: string): number {
  return Math.max(1, text.split(/\s+/).filter((part) => part !== "").length);
}

/** A vector of a text, between -1 and 1, with as many digits as a 32-bit float has. */
export function embedding(text: string, dimensions: number, seed: number): number[] {
  const source = random(seed, text);
  return Array.from({ length: dimensions }, () => Number((source.next() * 2 - 1).toPrecision(7)));
}

function token(part: Partial<Token>): Token {
  return { content: "", thinking: "", tools: [], ...part };
}

function word(source: Random, behaviour: Behaviour, index: number): string {
  if (behaviour.emoji) return source.pick(foreign);
  if (index > 0 && source.next() < 0.1) return source.pick(oddities);
  const chosen = source.pick(words);
  return index === 0 ? chosen.charAt(0).toUpperCase() + chosen.slice(1) : ` ${chosen}`;
}

function spoil(text: string, behaviour: Behaviour): string {
  return `${text}${behaviour.nul ? "\u0000" : ""}${behaviour.surrogate ? "\ud800" : ""}`;
}

/** Words with the space before them: joined they are the text again. */
function split(text: string): string[] {
  return text.match(/\s*\S+\s*$|\s*\S+/g) ?? [text];
}

function toolCall(prompt: Prompt, source: Random): ToolCall {
  const { name, properties } = prompt.tools[0] ?? { name: "get_weather", properties: { city: "string" } };
  const values = Object.keys(properties).map((key) => [key, source.pick(words)]);
  const id = `call_${source.hex(8)}`;
  return { id, function: { index: 0, name, arguments: Object.fromEntries(values) } };
}
