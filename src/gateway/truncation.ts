/**
 * Whether a part of what was sent never reached the model. Ollama answers 200 all the same and tells it nowhere: it is
 * read from the tokens that it counted, from the context in force, and from the words that were sent.
 *
 * What Ollama does, read in its source and tried with 0.33.0-rc2:
 * - Chats leave out their oldest messages until the rest fits the context; system messages and the last one stay
 *   (chatPrompt in server/prompt.go, truncateNativeChatMessages in server/routes.go).
 * - A prompt that is still too long loses its tokens between `num_keep` and the end until half of the context is free
 *   (completionPromptForRequest in llm/llama_server.go), before 0.30 until it just filled it (NewSequence in runner/). It
 *   is then counted as exactly that length.
 * - Each text to embed loses its end, down to the context or to a batch (EmbedHandler in server/routes.go).
 * - With `truncate: false` it refuses instead. `/api/embeddings` always refuses.
 *
 * `truncated` is sure. No vocabulary that Ollama's models use has a token that reaches from one word into the next, so
 * there are at least as many tokens as words that hold a letter or digit. It is said where the engine counted fewer
 * tokens than words were sent, and
 * - there are more words than the context has tokens, or
 * - the count is exactly what Ollama cuts to, or
 * - texts were embedded, where nothing is cached.
 *
 * `truncated_likely` is said
 * - where fewer tokens were counted than words were sent, without the above: Ollama 0.30.0, and those before 0.4, left
 *   cached tokens out of their count (so only from half a context on);
 * - where that holds with four Chinese or Japanese characters taken for a token, which mostly is one or two of them;
 * - where the count is exactly what Ollama cuts to, and more characters were sent than so few tokens usually hold;
 * - where no tokens were counted, and there are more words than the context has tokens.
 *
 * Else it is null: a little that is missing of code, of numbers, or of a long history can't be told. Nor is it said
 * where a reply grows beyond the context, and the model forgets what it has read: the whole prompt had reached it.
 */
import type { Truncation } from "../ledger/record";
import { type Asked, countField, field, textField } from "./dialects/dialect";

/** Whole replies carry it: its value is the record's word. */
export const truncatedHeader = "x-corral-truncated";

/** What `num_keep` is unless a request says otherwise. */
const KEPT = 4;
/** English has four or five a token, code three. */
const MOST_CHARACTERS_A_TOKEN = 6;
const CJK_CHARACTERS_A_TOKEN = 4;
/** Blocks inside of a tool's result inside of a message: nothing that is deeper is text. */
const DEEPEST = 6;

/**
 * Tells it of a request that was answered well.
 * @param tokensIn as the engine counted them; null where it did not
 * @param contextLength tokens that the model was loaded with; null where that is not known
 */
export function truncationOf(
  asked: Pick<Asked, "operation" | "prompt" | "system" | "messages" | "options">,
  tokensIn: number | null,
  contextLength: number | null,
): Truncation | null {
  const request: unknown = asked.options === null ? null : JSON.parse(asked.options);
  if (field(request, "truncate") === false) return null;
  const options = field(request, "options");
  const context = smaller(contextLength, contextOf(options));
  const isEmbedding = asked.operation === "embedding";
  const isCutLength =
    !isEmbedding &&
    context !== null &&
    cutLengths(context, countField(options, "num_keep") ?? KEPT).includes(tokensIn ?? 0);
  // Most requests are too short for any of it, and reading their texts once more would be for nothing.
  if (!isEmbedding && !isCutLength && context !== null && mostWords(asked) <= context / 2) return null;
  const { spoken, others } = textsOf(asked);
  const [{ words, ...surely }, maybe] = [measure(spoken), measure(others)];
  const characters = surely.characters + maybe.characters;
  const leastTokens = words + maybe.words + Math.floor((surely.cjk + maybe.cjk) / CJK_CHARACTERS_A_TOKEN);
  if (!tokensIn) return !isEmbedding && context !== null && words > context ? "truncated_likely" : null;
  if (words > tokensIn && (isEmbedding || isCutLength || (context !== null && words > context)))
    return "truncated";
  if (leastTokens > tokensIn && (isEmbedding || context === null || leastTokens > context / 2))
    return "truncated_likely";
  return isCutLength && characters > tokensIn * MOST_CHARACTERS_A_TOKEN ? "truncated_likely" : null;
}

/** Tokens of context that a request's kept options ask for; null where they ask for none. */
export function contextAsked(options: string | null): number | null {
  return options === null ? null : contextOf(field(JSON.parse(options), "options"));
}

function contextOf(options: unknown): number | null {
  return countField(options, "num_ctx") || null;
}

/** No text holds more words, Chinese and Japanese characters taken for a quarter of one each. */
function mostWords({ prompt, system, messages }: Pick<Asked, "prompt" | "system" | "messages">): number {
  const characters = (messages ?? prompt ?? "").length + (system ?? "").length;
  return 1 + characters * (1 / 2 + 1 / (2 * CJK_CHARACTERS_A_TOKEN));
}

/** What Ollama cuts a prompt to: half of what is not kept is left free. A token that opens every prompt is kept too. */
function cutLengths(context: number, keep: number): number[] {
  const halves = [keep, keep + 1].map((kept) => context - Math.max(Math.floor((context - kept) / 2), 1));
  return [...halves, context];
}

function smaller(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

/** Whether every template prints a message: one that knows no tools leaves out what they said. */
function isSpoken(message: unknown): boolean {
  return typeof message === "string" || /^(system|developer|user|assistant)$/i.test(roleOf(message));
}

function roleOf(message: unknown): string {
  return textField(message, "role") ?? "";
}

/**
 * The texts that a prompt is made of: those that every template prints, and others. Thinking is none: templates leave
 * out that of earlier turns.
 */
function textsOf({ prompt, system, messages }: Pick<Asked, "prompt" | "system" | "messages">): {
  readonly spoken: string[];
  readonly others: string[];
} {
  const sent: unknown = messages === null ? [] : JSON.parse(messages);
  const list: unknown[] = Array.isArray(sent) ? sent : [];
  const spoken: string[] = [];
  const others: string[] = [];
  for (const message of list) {
    if (textField(message, "type") === "reasoning") continue;
    (isSpoken(message) ? spoken : others).push(...textsIn(message, DEEPEST).map(withoutThinking));
  }
  // Images alone are messages, too.
  if (spoken.length + others.length === 0 && prompt !== null) spoken.push(prompt);
  const isSystem = (message: unknown) => /^(system|developer)$/i.test(roleOf(message));
  if (system !== null && !list.some(isSystem)) spoken.push(system);
  return { spoken, others };
}

/** The texts of a message, a part or a block, in whatever dialect. */
function textsIn(value: unknown, depth: number): string[] {
  if (typeof value === "string") return [value];
  if (depth === 0) return [];
  if (Array.isArray(value)) return value.flatMap((one) => textsIn(one, depth - 1));
  return ["content", "text", "output"].flatMap((name) => textsIn(field(value, name), depth - 1));
}

function withoutThinking(text: string): string {
  const end = "</think>";
  return text.includes("<think>") ? text.slice(text.lastIndexOf(end) + end.length) : text;
}

/** Words that hold a letter or digit, Chinese and Japanese characters, and characters of all kinds. */
function measure(texts: readonly string[]): { words: number; cjk: number; characters: number } {
  let words = 0;
  let cjk = 0;
  let characters = 0;
  for (const text of texts) {
    characters += text.length;
    let inWord = false;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (isSpace(code)) inWord = false;
      else if (!inWord && isLetterOrDigit(code)) {
        inWord = true;
        words++;
      }
      if (isCjk(code)) cjk++;
    }
  }
  return { words, cjk, characters };
}

/** ASCII's alone: other spaces join words, which makes fewer of them. */
function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function isLetterOrDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 122) || code >= 0xc0;
}

/** Kana and Han. */
function isCjk(code: number): boolean {
  return (code >= 0x3041 && code <= 0x30ff) || (code >= 0x3400 && code <= 0x9fff);
}
