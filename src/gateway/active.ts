/** What is running now: counted, waited for, ended. */

export interface Running {
  readonly id: string;
  /** Ends it with an error in its dialect: the server stops. */
  stop(): void;
  /** Called once when it runs no more: its connection is idle. */
  over(): void;
}

export class Active {
  readonly #running = new Map<string, Running>();
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

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  stopAll(): void {
    for (const running of [...this.#running.values()]) running.stop();
  }
}
