/** What a reply has said so far, whatever dialect it comes in: texts up to a limit, when they came, counts, how it ended. */
import type { EngineFigures, Outcome } from "../../ledger/record";
import type { Keep, Told } from "./dialect";

/** A piece of a reply, as one frame carries it. */
export interface Piece {
  readonly text: string | null;
  readonly thinking: string | null;
  readonly toolCalls: readonly unknown[];
}

/** What an engine counts and measures; what it does not tell is left out. */
export type Figures = Partial<Omit<EngineFigures, "error">>;

const nothing: Omit<EngineFigures, "error"> = {
  tokensIn: null,
  tokensOut: null,
  tokensCached: null,
  loadMs: null,
  prefillMs: null,
  decodeMs: null,
  finishReason: null,
};

export class Heard {
  #room: number;
  #text = "";
  #thinking = "";
  readonly #toolCalls: unknown[] = [];
  #saidText = false;
  #figures: Figures = {};
  #pieces = 0;
  #firstAt: number | null = null;
  #lastAt: number | null = null;
  #longestGap: number | null = null;
  #outcome: Outcome | null = null;
  #error: string | null = null;

  constructor(keep: Keep) {
    this.#room = keep.mostCharacters;
  }

  get ended(): boolean {
    return this.#outcome !== null;
  }
  get error(): string | null {
    return this.#error;
  }
  /** Pieces of content, thinking or tool calls that have come. */
  get pieces(): number {
    return this.#pieces;
  }

  /** Notes a piece. One without content, such as a role, counts as none. */
  note({ text, thinking, toolCalls }: Piece, at: number): void {
    if (text !== null) {
      this.#saidText = true;
      this.#text += this.fitting(text);
    }
    if (thinking) this.#thinking += this.fitting(thinking);
    if (this.#room > 0) this.#toolCalls.push(...toolCalls);
    if (text || thinking || toolCalls.length > 0) this.beat(at);
  }

  /** Notes only that a piece has come. */
  beat(at: number): void {
    this.#pieces++;
    this.#firstAt ??= at;
    if (this.#lastAt !== null) this.#longestGap = Math.max(this.#longestGap ?? 0, at - this.#lastAt);
    this.#lastAt = at;
  }

  /** As much of a text as is still kept of this reply, which is counted as kept. */
  fitting(text: string): string {
    const kept = text.slice(0, this.#room);
    this.#room -= kept.length;
    return kept;
  }

  count(figures: Figures): void {
    this.#figures = { ...this.#figures, ...figures };
  }

  /** What came can't be read, or tells of trouble; by itself that ends nothing. */
  complain(words: string): void {
    this.#error ??= words;
  }

  /** The first end counts, and the last words. A reply of which nothing could be read is none. */
  end(outcome: Outcome, error: string | null): void {
    const isNothing = outcome === "complete" && this.#error !== null && this.#pieces === 0;
    this.#outcome ??= isNothing ? "engine_error" : outcome;
    if (error !== null) this.#error = error;
  }

  /** The engine answered with an error. */
  refused(status: number, words: string): void {
    this.end(status === 404 ? "rejected" : "engine_error", words);
  }

  told(): Told {
    return {
      ...nothing,
      ...this.#figures,
      text: this.#saidText ? this.#text : null,
      thinking: this.#thinking || null,
      toolCalls: this.#toolCalls.length > 0 ? JSON.stringify(this.#toolCalls) : null,
      error: this.#error,
      outcome: this.#outcome,
      firstAt: this.#firstAt,
      longestGapMs: this.#longestGap,
    };
  }
}
