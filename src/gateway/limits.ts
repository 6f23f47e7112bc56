/** Limits on a silent stream, off unless somebody set them: silence by itself never ends a request. */
import { LONGEST_TIMER_MS } from "../duration";
import { type Failure, failure } from "../errors";

export interface Limits {
  /** From a stream's arrival to its first token, ms; 0 for none. */
  readonly firstTokenMs: number;
  /** Between two pieces of a stream, ms; 0 for none. */
  readonly idleMs: number;
  /** How often a silent stream gets a sign of life, ms; 0 for never. */
  readonly heartbeatMs: number;
}

export interface Watch {
  /** Something of the reply has come. @param begun whether its first token has */
  heard(begun: boolean): void;
  end(): void;
}

/** Watches a stream. @param over is told once, when it was silent for longer than it may be */
export function watch({ firstTokenMs, idleMs }: Limits, over: (why: Failure) => void): Watch {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hasBegun = false;
  const arm = (ms: number, what: string, setting: string) => {
    clearTimeout(timer);
    timer = undefined;
    if (ms <= 0 || ms > LONGEST_TIMER_MS) return;
    timer = setTimeout(() => {
      over(failure.engineTimeout(`${what} within ${ms / 1000} s, which is the limit of ${setting}`));
    }, ms);
  };
  arm(firstTokenMs, "Ollama sent no first token", "CORRAL_FIRST_TOKEN_TIMEOUT");
  return {
    heard(begun) {
      // What comes before the first token is no answer yet.
      if (!begun && !hasBegun) return;
      hasBegun = true;
      if (timer !== undefined || idleMs > 0) arm(idleMs, "Ollama sent nothing more", "CORRAL_IDLE_TIMEOUT");
    },
    end: () => clearTimeout(timer),
  };
}
