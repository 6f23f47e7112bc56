/** One reply of a model, streamed through Ollama's own chat as its clients have it. */
import { errorOf, request } from "../../shared/api";

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
  /** Base64. */
  readonly images?: readonly string[];
}

export interface ChatBody {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly think?: boolean | string;
  readonly format?: "json";
  readonly options: Readonly<Record<string, number>>;
}

/** A line of the reply; the figures are on its last. */
export interface ChatLine {
  readonly message?: { readonly content?: string; readonly thinking?: string };
  readonly done?: boolean;
  readonly done_reason?: string;
  readonly error?: string;
  readonly prompt_eval_count?: number;
  readonly eval_count?: number;
  /** Nanoseconds, as the other. */
  readonly eval_duration?: number;
  readonly load_duration?: number;
}

/**
 * @param traceparent W3C's, by which its record is known
 * @throws ApiError; Error for a reply that breaks; DOMException "AbortError" when the signal aborts
 */
export async function* chat(
  body: ChatBody,
  traceparent: string,
  signal: AbortSignal,
): AsyncGenerator<ChatLine> {
  const response = await request("POST /api/chat", { body, headers: { traceparent }, signal });
  if (!response.ok || !response.body) throw await errorOf(response);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read().catch((error: unknown) => {
      throw signal.aborted ? error : brokenOff();
    });
    const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
    rest = done ? "" : (lines.pop() ?? "");
    for (const line of lines.filter(Boolean)) {
      const said: ChatLine = JSON.parse(line);
      if (said.error !== undefined) throw new Error(said.error);
      yield said;
      if (said.done) return;
    }
    if (done) throw brokenOff();
  }
}

function brokenOff(): Error {
  return new Error(
    "The reply broke off before its end: see above whether Corral is connected, and try again.",
  );
}
