/** What is running now: listed, counted, waited for, canceled, ended. */
import type { Operation } from "../ledger/record";

export const phases = ["waiting", "loading", "prefill", "generating"] as const;
/**
 * waiting: another request of the same model is being answered; loading: the model is not loaded yet; prefill: the
 * prompt is being read; generating: the first piece has come. As far as can be seen from outside the engine.
 */
type Phase = (typeof phases)[number];

/** A recorded request that is running. */
export interface ActiveRequest {
  readonly id: string;
  readonly startedAt: Date;
  readonly model: string | null;
  readonly dialect: string;
  readonly operation: Operation;
  readonly stream: boolean;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
  readonly user: string | null;
  readonly phase: Phase;
  readonly seconds: number;
  /** Pieces of the reply that have come, which are about as many tokens. */
  readonly pieces: number;
}

export interface Running {
  readonly id: string;
  /** Ends it with an error in its dialect: the server stops. */
  stop(): void;
  /** Called once when it runs no more: its connection is idle. */
  over(): void;
  /** Ends it with an error in its dialect: somebody wants it ended. Absent where nothing is recorded. */
  cancel?(): void;
  /** How it is now, as far as it sees itself (never `waiting`); null until its body was read. */
  look?(): ActiveRequest | null;
}

export class Active {
  readonly #running = new Map<string, Running>();
  readonly #listeners = new Set<(request: ActiveRequest) => void>();
  /** Those that have moved on since listeners were told. */
  #moved = new Set<string>();
  #idle: (() => void)[] = [];

  get count(): number {
    return this.#running.size;
  }

  add(running: Running): void {
    this.#running.set(running.id, running);
  }

  remove(id: string): void {
    this.#running.get(id)?.over();
    this.#running.delete(id);
    if (this.#running.size > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle = [];
  }

  /** The recorded requests that are running, oldest first. */
  list(): ActiveRequest[] {
    const requests = [...this.#running.values()].flatMap((running) => running.look?.() ?? []);
    const answered = new Set(
      requests.filter(({ phase }) => phase === "generating").map(({ model }) => model),
    );
    return requests.map((request) =>
      request.phase === "prefill" && answered.has(request.model) ? { ...request, phase: "waiting" } : request,
    );
  }

  /** @returns whether there was such a request */
  cancel(id: string): boolean {
    const running = this.#running.get(id);
    if (!running?.cancel) return false;
    running.cancel();
    return true;
  }

  /** Tells whoever listens, in a moment, that a request has begun or moved on. */
  tell(id: string): void {
    if (this.#listeners.size === 0) return;
    // A look at all of them for each that moves would cost the square of a thousand that begin together.
    if (this.#moved.add(id).size === 1) setImmediate(() => this.#tellMoved());
  }

  #tellMoved(): void {
    const moved = this.#moved;
    this.#moved = new Set();
    for (const request of this.list())
      if (moved.has(request.id)) for (const listener of this.#listeners) listener(request);
  }

  /** Calls the listener when a request begins or moves on. @returns ends that */
  onMove(listener: (request: ActiveRequest) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  stopAll(): void {
    for (const running of [...this.#running.values()]) running.stop();
  }
}
