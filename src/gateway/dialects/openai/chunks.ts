/** What OpenAI's chat and completions have in common: a choice in each chunk, counts in one of their own, `[DONE]`. */
import { countField, field, textField } from "../dialect";
import type { Figures, Heard } from "../heard";
import { DONE, errorWords, type Listener } from "../passing";
import { errorEvent } from "./refuse";

const UNTOLD =
  "Ollama ended its answer in the middle, by an error whose words its OpenAI API leaves out: see GET /api/engine/log";

export interface ChunkOptions {
  /** Notes what a choice says. @returns nothing: it goes to what is heard */
  readonly note: (choice: unknown, at: number) => void;
  /** Whether the chunk with the usage is an answer to Corral, not to the client. */
  readonly hidesUsage: boolean;
}

export function listenToChunks(heard: Heard, { note, hidesUsage }: ChunkOptions): Listener {
  let hides = hidesUsage;
  let finishReason: string | null = null;
  let untold = false;

  const end = () => heard.end(finishReason === "length" ? "length" : "complete", null);
  const noteChoice = (choice: unknown, at: number) => {
    note(choice, at);
    finishReason = textField(choice, "finish_reason") ?? finishReason;
  };

  return {
    event(_event, json, at) {
      if (json === DONE) {
        heard.count({ finishReason });
        end();
        return true;
      }
      const choices = field(json, "choices");
      const usage = field(json, "usage");
      if (Array.isArray(choices) && choices.length > 0) noteChoice(choices[0], at);
      else if (Array.isArray(choices) && usage) {
        heard.count(figuresOf(usage));
        const passes = !hides;
        hides = false;
        return passes;
      }
      // An error of Ollama's own that was read as a chunk like any other: this is all that is left of it.
      untold ||= field(json, "model") === "";
      return true;
    },
    whole(json, at) {
      const choices = field(json, "choices");
      if (!Array.isArray(choices)) return heard.complain("Ollama answered with JSON that is no completion");
      noteChoice(choices[0], at);
      heard.count({ ...figuresOf(field(json, "usage")), finishReason });
      end();
    },
    short() {
      if (untold) heard.complain(UNTOLD);
    },
    errorOf: errorWords,
    fail: errorEvent,
  };
}

/** Counts of OpenAI's. What Ollama does not know it writes as 0, and its own API leaves out. */
function figuresOf(usage: unknown): Figures {
  return {
    tokensIn: countField(usage, "prompt_tokens") || null,
    tokensOut: countField(usage, "completion_tokens") || null,
    tokensCached: countField(field(usage, "prompt_tokens_details"), "cached_tokens"),
  };
}
