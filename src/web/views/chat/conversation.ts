/** The conversation: in this page alone, and gone with it. A reply goes on while another view is shown. */
import { computed, signal } from "@preact/signals";
import { ApiError } from "../../shared/api";
import { onEnded } from "../../shared/live";
import { asked, systemMessage } from "./options";
import { chat, type Message } from "./stream";

export interface Picture {
  readonly name: string;
  /** A data: URL. */
  readonly url: string;
}

export interface Question {
  readonly role: "user";
  readonly id: number;
  readonly text: string;
  readonly pictures: readonly Picture[];
}

export interface Reply {
  readonly role: "assistant";
  readonly id: number;
  readonly model: string;
  readonly text: string;
  readonly thinking: string;
  readonly state: "running" | "done" | "stopped" | "failed";
  /** Milliseconds since 1970. */
  readonly askedAt: number;
  /** To the first piece of thinking or text, in ms, as the others; null before. */
  readonly firstMs: number | null;
  readonly totalMs: number | null;
  readonly loadMs: number | null;
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  readonly tokensPerSecond: number | null;
  /** Whether it ended at the most tokens that it may have. */
  readonly isCut: boolean;
  readonly error: Error | null;
  /** Of its record, once the live feed has told of it. */
  readonly requestId: string | null;
}

export type Turn = Question | Reply;

export const turns = signal<readonly Turn[]>([]);
export const draft = signal("");
export const pictures = signal<readonly Picture[]>([]);
/** The question that is being written anew; null for none. */
export const edited = signal<number | null>(null);

/** Pieces that come faster are seen together: each is the drawing of all of the reply. */
const SEEN_WITHIN_MS = 30;

/** Within so long after its end the live feed has told of a request. */
const TOLD_WITHIN_MS = 10_000;

const running = signal<AbortController | null>(null);
export const isRunning = computed(() => running.value !== null);
let last = 0;

const nextId = () => {
  last += 1;
  return last;
};

/** Sends what is written to a model. */
export function send(model: string): void {
  const text = draft.value.trim();
  if (isRunning.value || model === "" || (text === "" && pictures.value.length === 0)) return;
  const from = turns.value.findIndex(({ id }) => id === edited.value);
  const before = from < 0 ? turns.value : turns.value.slice(0, from);
  turns.value = [...before, { role: "user", id: nextId(), text, pictures: pictures.value }];
  stopEditing();
  void answer(model);
}

/** Has the last question answered again. */
export function regenerate(model: string): void {
  const question = turns.value.findLastIndex(({ role }) => role === "user");
  if (isRunning.value || question < 0 || model === "") return;
  turns.value = turns.value.slice(0, question + 1);
  void answer(model);
}

/** Puts the last question back to where one writes; it and what follows stay until it is sent anew. */
export function editLast(): void {
  const question = turns.value.findLast((turn) => turn.role === "user");
  if (isRunning.value || question?.role !== "user") return;
  edited.value = question.id;
  draft.value = question.text;
  pictures.value = question.pictures;
}

export function stopEditing(): void {
  edited.value = null;
  draft.value = "";
  pictures.value = [];
}

export function stop(): void {
  running.value?.abort();
}

export function clear(): void {
  stop();
  stopEditing();
  turns.value = [];
}

async function answer(model: string): Promise<void> {
  const abort = new AbortController();
  const messages = [...systemMessage(), ...messagesOf(turns.value)];
  const begunAt = performance.now();
  let reply: Reply = {
    ...{ role: "assistant", id: nextId(), model, text: "", thinking: "", state: "running" },
    ...{ askedAt: Date.now(), firstMs: null, totalMs: null, loadMs: null },
    ...{ tokensIn: null, tokensOut: null, tokensPerSecond: null, isCut: false },
    ...{ error: null, requestId: null },
  };
  let due: ReturnType<typeof setTimeout> | undefined;
  const publish = () => {
    clearTimeout(due);
    due = undefined;
    // Cleared meanwhile, it has no place any more.
    turns.value = turns.value.map((turn) => (turn.id === reply.id ? reply : turn));
  };
  const put = (changes: Partial<Reply>) => {
    reply = { ...reply, ...changes };
    due ??= setTimeout(publish, SEEN_WITHIN_MS);
  };
  const traceparent = newTraceparent();
  const forget = onEnded((ended) => {
    if (ended.traceparent === traceparent) put({ requestId: ended.id });
  });
  running.value = abort;
  turns.value = [...turns.value, reply];
  try {
    const body = { model, messages, ...asked() };
    for await (const line of chat(body, traceparent, abort.signal)) {
      const { content = "", thinking = "" } = line.message ?? {};
      const isFirst = reply.firstMs === null && content + thinking !== "";
      put({
        text: reply.text + content,
        thinking: reply.thinking + thinking,
        ...(isFirst ? { firstMs: performance.now() - begunAt } : {}),
      });
      if (!line.done) continue;
      const { eval_count: tokensOut = null, eval_duration: decode } = line;
      put({
        state: "done",
        loadMs: line.load_duration === undefined ? null : line.load_duration / 1e6,
        tokensIn: line.prompt_eval_count ?? null,
        tokensOut,
        tokensPerSecond: tokensOut !== null && decode ? tokensOut / (decode / 1e9) : null,
        isCut: line.done_reason === "length",
      });
    }
  } catch (error) {
    if (abort.signal.aborted) put({ state: "stopped" });
    else put({ state: "failed", error: error instanceof Error ? error : new Error(String(error)) });
  }
  put({ totalMs: performance.now() - begunAt });
  publish();
  setTimeout(forget, TOLD_WITHIN_MS);
  if (running.value === abort) running.value = null;
}

/** What the model is told: what it had no answer to say to is left out. */
function messagesOf(all: readonly Turn[]): Message[] {
  const said = all.flatMap((turn): Message[] => {
    if (turn.role === "assistant") return turn.text ? [{ role: "assistant", content: turn.text }] : [];
    const images = turn.pictures.map(({ url }) => url.slice(url.indexOf(",") + 1));
    return [{ role: "user", content: turn.text, ...(images.length > 0 ? { images } : {}) }];
  });
  return said;
}

/** W3C's trace context: a trace of its own for each request. */
function newTraceparent(): string {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-01`;
}

/** Whether the model is what is missing. */
export function isUnknownModel(error: Error): boolean {
  return error instanceof ApiError && error.status === 404;
}
