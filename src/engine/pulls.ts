/**
 * Pulls that the server owns: a client that leaves does not stop one, and a second pull of the same model attaches to
 * the first. One outlives an engine that crashes and a server that ends: it is over when it is complete, has failed, or
 * was canceled. Statuses are said as the contract has them.
 */
import { sleepUnless } from "../children/wait";
import { asFailure, Failure, failure, messageOf } from "../errors";
import type { Log } from "../log";
import { codeOf } from "./client";
import type { Engine } from "./engine";
import { canonicalModel } from "./models";
import { type Following, Pull, type PullStatus, type PullView } from "./pull";
import type { UnfinishedPulls, Who } from "./unfinished-pulls";
import type { Progress } from "./wire";

export interface PullsParts {
  readonly engine: Pick<Engine, "client" | "state" | "run" | "ready" | "died">;
  /** What a restart resumes. */
  readonly unfinished: UnfinishedPulls;
  readonly log: Log;
  /** Told of each pull that is over, before those who follow it. */
  readonly onEnd: (pull: Pull) => void;
}

/** How often Ollama may die under a pull that gets no further. */
const MOST_TRIES = 3;
/** Within so long the engine's state is that of one that is gone, where it is somebody else's. */
const SEEN_GONE_MS = 3000;
/** Within so long Ollama has written down how far a pull is whose client left. */
const NOTED_MS = 250;
/** Pulls that are over and still told of from memory: the database may be away. */
const PAST_KEPT = 100;
const again = "pull it again, what is there is kept";

export class Pulls {
  readonly #parts: PullsParts;
  /** By canonical name. */
  readonly #running = new Map<string, Pull>();
  #past: readonly PullView[] = [];
  readonly #stopping = new AbortController();
  /** Of the tries that are under way. */
  #tries = new AbortController();

  constructor(parts: PullsParts) {
    this.#parts = parts;
  }

  /** What runs now, the latest first. */
  get running(): PullView[] {
    return [...this.#running.values()].map((pull) => pull.look()).reverse();
  }

  /** What has ended since this program's start, the latest first. */
  get past(): readonly PullView[] {
    return this.#past;
  }

  /** Whether a model is being pulled. */
  isPulling(model: string): boolean {
    return this.#running.has(canonicalModel(model));
  }

  /**
   * Follows a model's pull from now to its end; begins one where none runs.
   * @throws Failure `server_stop`: a pull that began now would only be resumed by the next start
   */
  follow(model: string, insecure: boolean, who: Who): Following {
    if (this.#stopping.signal.aborted) throw failure.stopping();
    const running = this.#running.get(canonicalModel(model));
    if (running) return running.follow();
    const id = Bun.randomUUIDv7();
    const pull = new Pull({ id, model, insecure, startedAt: new Date().toISOString(), who });
    this.#parts.unfinished.add(pull.asked);
    this.#parts.log.info({ id: `pull_${id}`, model }, "pull begins");
    const following = pull.follow();
    this.#begin(pull);
    return following;
  }

  /** Goes on with what an earlier program left unfinished, as soon as the engine is ready. */
  resume(): void {
    for (const asked of this.#parts.unfinished.all) {
      this.#parts.log.info({ id: `pull_${asked.id}`, model: asked.model }, "pull resumes");
      const pull = new Pull(asked);
      pull.tell(waitingFor("Corral was started again: the pull goes on when Ollama is ready"));
      this.#begin(pull);
    }
  }

  /** @returns whether it was running */
  cancel(id: string): boolean {
    const pull = [...this.#running.values()].find(({ asked }) => asked.id === id);
    if (!pull || pull.signal.aborted) return false;
    const why = failure.pullCanceled();
    pull.cancel(why);
    this.#end(pull, "canceled", why);
    return true;
  }

  /**
   * Breaks off what is being pulled, to go on when Ollama is back: it is about to be restarted. Ended while it still
   * pulls it can leave empty notes of how far it was, and then refuses that pull with "EOF" (0.33).
   */
  async breakOff(): Promise<void> {
    if (this.#running.size === 0) return;
    this.#tries.abort();
    this.#tries = new AbortController();
    await Bun.sleep(NOTED_MS);
  }

  /** The server stops: what runs is broken off, and resumed at the next start. */
  stop(): void {
    this.#stopping.abort(failure.stopping());
    for (const pull of this.#running.values())
      pull.leaveOff({
        status: "error",
        message: "Corral is being stopped: the pull goes on when it is started again",
      });
  }

  #begin(pull: Pull): void {
    this.#running.set(canonicalModel(pull.asked.model), pull);
    const signal = AbortSignal.any([this.#stopping.signal, pull.signal]);
    // Who aborted it has said what became of it.
    const end = (state: "complete" | "error", why: Failure | null) => {
      if (!signal.aborted) this.#end(pull, state, why);
    };
    this.#run(pull, signal).then(
      () => end("complete", null),
      (error: unknown) => end("error", asFailure(error)),
    );
  }

  /** Pulls until it is complete, over again where Ollama dies under it. @throws what else becomes of it */
  async #run(pull: Pull, signal: AbortSignal): Promise<void> {
    const { engine, log } = this.#parts;
    let tries = 0;
    let furthest = 0;
    for (;;) {
      await engine.ready(signal);
      const run = engine.run;
      const broken = this.#tries.signal;
      try {
        return await this.#attempt(pull, AbortSignal.any([signal, broken]));
      } catch (error) {
        signal.throwIfAborted();
        if (isOllamasWord(error)) throw error;
        const died = broken.aborted || (await engine.died(run));
        signal.throwIfAborted();
        if (!died) throw error instanceof Failure ? error : pullBroken(codeOf(error) || messageOf(error));
      }
      const completed = pull.layers.completed ?? 0;
      tries = completed > furthest ? 1 : tries + 1;
      furthest = Math.max(furthest, completed);
      if (tries >= MOST_TRIES) {
        throw failure.engineLost(
          `Ollama ended ${tries} times while it pulled, and got no further: its last words are at GET /api/engine/log; ${again}`,
        );
      }
      log.warn({ model: pull.asked.model, tries }, "Ollama ended in the middle of a pull: tried again");
      pull.layers.again();
      pull.tell(waitingFor("Ollama ended in the middle of the pull, which goes on when Ollama is back"));
      // Else its next tries would be spent before anybody could have started it again.
      if (engine.state === "ready" && engine.run === run) await sleepUnless(signal, SEEN_GONE_MS);
    }
  }

  async #attempt(pull: Pull, signal: AbortSignal): Promise<void> {
    const { model, insecure } = pull.asked;
    for await (const progress of this.#parts.engine.client.pull(model, insecure, signal)) {
      if (progress.error !== undefined) throw failure.pull("pull_refused", progress.error);
      if (progress.status === "success") return pull.layers.finish();
      pull.layers.take(progress, performance.now());
      if (!signal.aborted) pull.tell(inContractWords(progress));
    }
    throw failure.pull("pull_broken", `Ollama broke off before the pull was complete: ${again}`);
  }

  #end(pull: Pull, state: "complete" | "error" | "canceled", why: Failure | null): void {
    const { id, model } = pull.asked;
    const { unfinished, log, onEnd } = this.#parts;
    const last: PullStatus =
      why === null
        ? { status: "complete", message: `Successfully pulled ${model}` }
        : { status: "error", message: why.message };
    const said = { id: `pull_${id}`, model, ms: Math.round(pull.durationMs), error: why?.message };
    log[state === "error" ? "warn" : "info"](said, `pull ${state === "error" ? "failed" : state}`);
    this.#running.delete(canonicalModel(model));
    pull.end(state, why);
    onEnd(pull);
    unfinished.remove(id);
    pull.leaveOff(last);
    this.#past = [pull.look(), ...this.#past].slice(0, PAST_KEPT);
  }
}

function pullBroken(how: string): Failure {
  return failure.pull(
    "pull_broken",
    `the connection to Ollama broke in the middle of the pull (${how}): ${again}`,
  );
}

function waitingFor(words: string): PullStatus {
  return { status: "waiting for Ollama", message: words };
}

/** Whether Ollama itself said how it ended: then it did not die of it. */
function isOllamasWord(error: unknown): boolean {
  return error instanceof Failure && (error.code === "pull_refused" || error.code === "engine_error");
}

/** Ollama's steps in the contract's words; those that the contract does not have pass as they are. */
function inContractWords({ status = "", digest, total, completed }: Progress): PullStatus {
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
