/** One pull that the server owns: how far it is, who follows it, and how it ended. */
import type { Failure } from "../errors";
import { Layers } from "./layers";
import type { UnfinishedPull } from "./unfinished-pulls";

/** A step of a pull, in the contract's words. */
export interface PullStatus {
  status: string;
  digest?: string;
  /** Bytes. */
  total?: number;
  /** Bytes. */
  completed?: number;
  message?: string;
}

export const pullStates = ["running", "complete", "error", "canceled"] as const;
export type PullState = (typeof pullStates)[number];

/** A pull as it is at a moment. */
export interface PullView {
  /** UUIDv7. */
  readonly id: string;
  readonly model: string;
  readonly insecure: boolean;
  readonly state: PullState;
  /** The last status that was told. */
  readonly step: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  /** Bytes of the layers that were told so far. */
  readonly total: number | null;
  readonly completed: number | null;
  /** Bytes a second over the last ten seconds. */
  readonly rate: number | null;
  readonly secondsLeft: number | null;
  readonly error: string | null;
}

/** What a follower reads a pull by. */
export interface Following {
  /** The next status; null when it is over. */
  next(): Promise<PullStatus | null>;
  /** Leaves it: the pull goes on. */
  leave(): void;
}

type Listener = (status: PullStatus | null) => void;

export class Pull {
  readonly layers = new Layers();
  readonly #followers = new Set<Listener>();
  readonly #abort = new AbortController();
  readonly #startedAt: Date;
  readonly #begunAt: number;
  #last: PullStatus | null = null;
  #state: PullState = "running";
  #endedAt: Date | null = null;
  #failure: Failure | null = null;

  constructor(readonly asked: UnfinishedPull) {
    this.#startedAt = new Date(asked.startedAt);
    // One that was begun by an earlier program took its time since then, too.
    this.#begunAt = performance.now() - Math.max(0, Date.now() - this.#startedAt.getTime());
  }

  get state(): PullState {
    return this.#state;
  }
  /** Why it did not go well; null while it runs and where it did. */
  get failure(): Failure | null {
    return this.#failure;
  }
  get durationMs(): number {
    return performance.now() - this.#begunAt;
  }
  /** Aborted, with the reason, when it is canceled. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  cancel(why: Failure): void {
    this.#abort.abort(why);
  }

  /** Tells everybody who follows it. */
  tell(status: PullStatus): void {
    this.#last = status;
    for (const listener of this.#followers) listener(status);
  }

  /** It is over; who follows it is yet to be told. */
  end(state: Exclude<PullState, "running">, failure: Failure | null): void {
    this.#state = state;
    this.#failure = failure;
    this.#endedAt = new Date();
  }

  /** Tells everybody who follows it the last of it. */
  leaveOff(last: PullStatus): void {
    this.tell(last);
    for (const listener of this.#followers) listener(null);
    this.#followers.clear();
  }

  /** Follows it from its present status to its end. */
  follow(): Following {
    const waiting: PullStatus[] = this.#last ? [this.#last] : [];
    let isOver = false;
    let wake: () => void = () => {};
    const listener: Listener = (status) => {
      if (status === null) isOver = true;
      else put(waiting, status);
      wake();
    };
    this.#followers.add(listener);
    return {
      next: async () => {
        for (;;) {
          const next = waiting.shift();
          if (next) return next;
          if (isOver) return null;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
      leave: () => {
        this.#followers.delete(listener);
        isOver = true;
        wake();
      },
    };
  }

  look(): PullView {
    const { id, model, insecure } = this.asked;
    const now = performance.now();
    const isRunning = this.#state === "running";
    return {
      ...{ id, model, insecure },
      state: this.#state,
      step: this.#last?.status ?? null,
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      total: this.layers.total,
      completed: this.layers.completed,
      rate: isRunning ? this.layers.rate(now) : null,
      secondsLeft: isRunning ? this.layers.secondsLeft(now) : null,
      error: this.#failure?.message ?? null,
    };
  }
}

/** A slow reader gets the latest of a layer's progress, not each: what waits for it stays small. */
function put(waiting: PullStatus[], status: PullStatus): void {
  const last = waiting.at(-1);
  if (last && last.digest !== undefined && last.digest === status.digest && last.status === status.status) {
    waiting[waiting.length - 1] = status;
  } else waiting.push(status);
}
