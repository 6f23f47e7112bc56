/**
 * Pulls that the server owns: a client that leaves does not stop one, and a second pull of the same model attaches to
 * the first. Statuses are said as the contract has them.
 */
import { Failure, messageOf } from "../errors";
import type { Log } from "../log";
import type { EngineClient } from "./client";
import { canonicalModel } from "./models";
import type { Progress } from "./wire";

export interface PullStatus {
  status: string;
  digest?: string;
  /** Bytes. */
  total?: number;
  /** Bytes. */
  completed?: number;
  message?: string;
}

interface Pull {
  readonly listeners: Set<Listener>;
  last: PullStatus | null;
}

type Listener = (status: PullStatus | null) => void;

export class Pulls {
  readonly #running = new Map<string, Pull>();
  readonly #stopping = new AbortController();

  constructor(
    readonly client: EngineClient,
    readonly log: Log,
  ) {}

  /** Models that are being pulled now. */
  get running(): string[] {
    return [...this.#running.keys()];
  }

  /**
   * The statuses of a model's pull, from now to its end; begins one where none runs.
   * Leaving the loop leaves the pull running.
   */
  async *follow(model: string, insecure: boolean): AsyncGenerator<PullStatus> {
    const name = canonicalModel(model);
    const known = this.#running.get(name);
    const pull: Pull = known ?? { listeners: new Set(), last: null };
    const waiting: PullStatus[] = pull.last ? [pull.last] : [];
    let ended = false;
    let wake: () => void = () => {};
    const listener: Listener = (status) => {
      if (status === null) ended = true;
      else put(waiting, status);
      wake();
    };
    pull.listeners.add(listener);
    if (!known) {
      this.#running.set(name, pull);
      void this.#run(name, model, insecure, pull);
    }
    try {
      for (;;) {
        const next = waiting.shift();
        if (next) yield next;
        else if (ended) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      pull.listeners.delete(listener);
    }
  }

  /** Breaks off what runs: the server stops. */
  stop(): void {
    this.#stopping.abort();
  }

  async #run(name: string, model: string, insecure: boolean, pull: Pull): Promise<void> {
    const tell = (status: PullStatus) => {
      pull.last = status;
      for (const listener of pull.listeners) listener(status);
    };
    const startedAt = performance.now();
    this.log.info({ model }, "pull begins");
    let done = false;
    try {
      for await (const progress of this.client.pull(model, insecure, this.#stopping.signal)) {
        if (progress.error !== undefined)
          throw new Failure("pull_failed", 502, "Pull failed", progress.error);
        const status = inContractWords(progress, model);
        done ||= status.status === "complete";
        tell(status);
      }
      if (!done)
        throw new Failure(
          "pull_failed",
          502,
          "Pull failed",
          "Ollama broke off before the pull was complete: pull it again, what is there is kept",
        );
      this.log.info({ model, ms: Math.round(performance.now() - startedAt) }, "pull complete");
    } catch (error) {
      const message = this.#stopping.signal.aborted
        ? "Corral is being stopped: pull it again later"
        : messageOf(error);
      this.log.warn({ model, error: message }, "pull failed");
      tell({ status: "error", message });
    } finally {
      this.#running.delete(name);
      for (const listener of pull.listeners) listener(null);
    }
  }
}

/** Ollama's steps in the contract's words; those that the contract does not have pass as they are. */
function inContractWords(progress: Progress, model: string): PullStatus {
  const { status = "", digest, total, completed } = progress;
  if (status === "success") return { status: "complete", message: `Successfully pulled ${model}` };
  if (status === "verifying sha256 digest") return { status: "verifying checksum" };
  if (digest === undefined) return { status };
  return {
    status: /^pulling [0-9a-f]/.test(status) ? "downloading" : status,
    digest,
    ...(total === undefined ? {} : { total }),
    // Ollama leaves a zero out.
    completed: completed ?? 0,
  };
}

/** A slow reader gets the latest of a layer's progress, not each: what waits for it stays small. */
function put(waiting: PullStatus[], status: PullStatus): void {
  const last = waiting.at(-1);
  if (last && last.digest !== undefined && last.digest === status.digest && last.status === status.status) {
    waiting[waiting.length - 1] = status;
  } else waiting.push(status);
}
