/**
 * `OllamaService` of the contract: Ollama as a process that is kept running, or as a server of somebody else's that
 * is used and left alone. The gateway speaks to it through the `Engine` interface below.
 */
import { Child } from "../children/child";
import { ChildRegistry } from "../children/registry";
import { sleepUnless } from "../children/wait";
import { messageOf, ServiceStartError, ServiceStopError } from "../errors";
import { type Log, silentLog } from "../log";
import { createEngineClient, type EngineClient } from "./client";
import type { Engine, EngineState } from "./engine";
import { NetworkConfig } from "./network";
import { EngineOutput } from "./output";
import { findBinary, isSilent, occupant, sayOccupant } from "./place";
import { askHealth, askText, asService } from "./questions";
import type { GenerateReply, Model } from "./wire";

export type { Engine, EngineState };

export interface OllamaServiceOptions {
  readonly network?: NetworkConfig;
  /** Use the Ollama that runs at this URL, and start none. */
  readonly url?: string;
  /** The ollama program; found on the PATH and in its usual places when empty. */
  readonly binary?: string;
  /** What to run instead of `ollama serve`. */
  readonly command?: readonly string[];
  /** Ollama's environment; OLLAMA_HOST is set over it. Default: this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Further variables, asked at each start of Ollama; what `environment` has of them wins. */
  readonly environmentAtStart?: () => Readonly<Record<string, string>>;
  /** Called after each `generate` with what Ollama measured; `metricsEnabled` says whether it is given. */
  readonly onMetrics?: (reply: GenerateReply) => void;
  readonly log?: Log;
  readonly registry?: ChildRegistry;
  readonly output?: EngineOutput;
  /** Addresses that are ourselves: starting Ollama there is refused. */
  readonly ourselves?: () => readonly string[];
  /** Longest time from start to the first answer, in ms; a minute. */
  readonly readyWithinMs?: number;
  /** How often it is asked whether it works, how long one answer may take, in ms; 2 s and 10 s. */
  readonly probeEveryMs?: number;
  readonly probeWithinMs?: number;
  /** First wait after a crash, in ms. */
  readonly backoffMs?: number;
}

const LOOK_AGAIN_MS = 5000;
/** So often an Ollama that is ready may be silent when it is asked; at the last it is taken for one that hangs. */
const PROBE_MISSES = 3;

/**
 * Starts Ollama and keeps it running.
 *
 * @example
 * import { NetworkConfig, OllamaService } from "corral";
 *
 * const service = new OllamaService({ network: new NetworkConfig({ host: "127.0.0.1" }) });
 * await service.start();
 * const { response } = await service.generate("llama3.2", "Why is the sky blue?");
 * await service.stop();
 */
export class OllamaService implements Engine {
  readonly #options: OllamaServiceOptions;
  readonly #network: NetworkConfig;
  readonly #log: Log;
  readonly #client: EngineClient;
  readonly #output: EngineOutput;
  #child: Child | null = null;
  #state: EngineState = "down";
  #why: string | null = "Ollama was not started yet";
  #version: string | null = null;
  /** Starts before the present child's: of one that is not ours as far as they were seen. */
  #earlierRuns = 0;
  /** Whether somebody else's Ollama was found here: it is waited for when it goes, and none is started in its place. */
  #foreign = false;
  #readySince: number | null = null;
  /** From start to stop: ends the look at the address, and the loop that looks after an engine that is no child of ours. */
  #life: AbortController | null = null;
  #starting: Promise<void> | null = null;
  #attempted = false;
  readonly #listeners = new Set<() => void>();
  readonly address: string;

  constructor(options: OllamaServiceOptions = {}) {
    this.#options = options;
    this.#network = options.network ?? new NetworkConfig();
    this.address = options.url ? options.url.replace(/\/+$/, "") : this.#network.baseUrl;
    this.#log = options.log ?? silentLog;
    this.#output = options.output ?? new EngineOutput(null, this.#log);
    this.#client = createEngineClient({
      address: () => this.address,
      // One that was never started may run all the same: then it is just asked.
      unready: () =>
        this.#life === null || this.state === "ready" ? null : (this.why ?? "Ollama does not answer"),
      timeoutMs: this.#network.timeout * 1000,
      retries: this.#network.maxRetries,
    });
  }

  get owned(): boolean {
    return this.#child !== null;
  }
  get state(): EngineState {
    if (!this.#child) return this.#state;
    if (this.#child.state === "ready") return "ready";
    return this.#child.state === "starting" && this.#child.why === null ? "starting" : "down";
  }
  get why(): string | null {
    if (!this.#child) return this.#why;
    return this.#child.why ?? (this.#child.state === "starting" ? "Ollama is starting" : null);
  }
  get run(): number {
    return this.#earlierRuns + (this.#child?.run ?? 0);
  }
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }
  get restarts(): number {
    return Math.max(0, this.run - 1);
  }
  get version(): string | null {
    return this.#version;
  }

  /** Whether a start has come as far as knowing what is at the address. */
  get attempted(): boolean {
    return this.#attempted;
  }

  /** Whether Ollama answers. */
  get isRunning(): boolean {
    return this.state === "ready";
  }
  get baseUrl(): string {
    return this.address;
  }
  /** Seconds since Ollama became ready, 0 while it is not. */
  get uptimeSeconds(): number {
    return this.isRunning && this.#readySince !== null ? (performance.now() - this.#readySince) / 1000 : 0;
  }
  /** Whether `onMetrics` is told of each generation. */
  get metricsEnabled(): boolean {
    return this.#options.onMetrics !== undefined;
  }

  /**
   * Starts Ollama, or uses the one that answers at the address already.
   * @param startupDelay seconds to wait at most for the first healthy answer; then the start goes on in the background
   * @throws ServiceStartError no program, a stranger on the port, or an address that is our own
   */
  async start(startupDelay = 2.0): Promise<void> {
    if (this.#life === null) {
      const life = new AbortController();
      this.#life = life;
      this.#starting = this.#begin(life.signal);
    }
    await this.#starting;
    await this.#wait(startupDelay);
  }

  /**
   * Stops what `start` started, with its model runners. An Ollama of somebody else's is left alone.
   * @param timeout seconds until it is killed
   * @throws ServiceStopError when it did not end
   */
  async stop(timeout = 5.0): Promise<void> {
    this.#life?.abort();
    this.#life = null;
    const child = this.#child;
    try {
      await child?.stop(timeout * 1000);
    } catch (error) {
      throw new ServiceStopError(`Ollama (pid ${child?.pid}) can't be stopped: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#earlierRuns = this.run;
    this.#child = null;
    this.#foreign = false;
    this.#output.close();
    this.#readySince = null;
    this.#state = "down";
    this.#why = "Ollama was stopped";
    this.#tell();
  }

  /**
   * Asks Ollama whether it is well.
   * @param retries how often to ask again; default: the network's `maxRetries`
   * @returns true
   * @throws HealthCheckError after the last try
   */
  async healthCheck(retries = this.#network.maxRetries): Promise<boolean> {
    return askHealth(this.address, retries, this.#network.timeout * 1000);
  }

  /** The installed models, as Ollama lists them. @throws ConnectionError */
  async getModels(): Promise<Model[]> {
    return asService(this.address, () => this.#client.models());
  }

  /**
   * Generates a whole text. It may take as long as the model needs.
   * @returns Ollama's reply: `response` holds the text
   * @throws ConnectionError when Ollama can't be reached, OllamaServiceError with its words when it refuses
   */
  async generate(model: string, prompt: string): Promise<GenerateReply> {
    const reply = await asService(this.address, () => askText(this.address, model, prompt));
    this.#options.onMetrics?.(reply);
    return reply;
  }

  async ready(signal: AbortSignal): Promise<void> {
    while (this.state !== "ready") {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#listeners.add(wake);
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      this.#listeners.delete(wake);
      signal.removeEventListener("abort", wake);
    }
  }

  async died(run: number): Promise<boolean> {
    if (!this.owned) return this.run !== run || (await occupant(this.address)).kind === "nothing";
    for (let waited = 0; waited < 250 && this.run === run && this.state === "ready"; waited += 10)
      await Bun.sleep(10);
    return this.run !== run || this.state !== "ready";
  }

  /**
   * Starts Ollama anew. Where there was none, or where it was given up, it looks at the address again first.
   * @throws ServiceStopError when the Ollama is somebody else's; ServiceStartError as `start`
   */
  async restart(why: string): Promise<void> {
    if (this.#child && this.#child.state !== "failed") return this.#child.restart(why);
    if (!this.#child && this.#state === "ready") {
      throw new ServiceStopError(
        `the Ollama at ${this.address} was not started by Corral: restart it where it was started`,
      );
    }
    await this.stop();
    await this.start(0);
  }

  /** The last lines that Ollama printed, oldest first. */
  lastOutput(lines: number): string[] {
    return this.#output.tail(lines);
  }

  get client(): EngineClient {
    return this.#client;
  }

  /** Calls the listener after each change of state. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async #begin(life: AbortSignal): Promise<void> {
    try {
      await this.#look(life);
      this.#attempted = true;
      this.#tell();
    } catch (error) {
      this.#attempted = true;
      if (!(error instanceof ServiceStartError) || life.aborted) throw error;
      this.#become(this.#state === "missing" ? "missing" : "down", error.message);
      void this.#keepLooking(life);
      throw error;
    }
  }

  /** Decides what is to be done at the address, and begins it. */
  async #look(life: AbortSignal): Promise<void> {
    if (this.#options.ourselves?.().includes(this.address)) {
      throw new ServiceStartError(
        `Ollama's address ${this.address} is Corral's own. OLLAMA_HOST is often exported for the ollama command line: unset it for Corral, or set OLLAMA_PORT to another port`,
        { cause: "ourselves" },
      );
    }
    const found = await occupant(this.address);
    if (life.aborted) throw new ServiceStartError("Ollama was stopped before it was started");
    if (found.kind === "corral") {
      throw new ServiceStartError(
        `a Corral answers at ${this.address} (instance ${found.instance}): Ollama's address must not be a Corral's. Unset OLLAMA_HOST or OLLAMA_URL, or point it at Ollama itself`,
        { cause: "ourselves" },
      );
    }
    if (found.kind === "ollama" || this.#options.url) {
      if (found.kind === "ollama") this.#attached();
      else this.#become("down", `no Ollama at ${this.address}: ${sayOccupant(found)}`);
      void this.#keepLooking(life);
      return;
    }
    if (found.kind === "unreachable") {
      throw new ServiceStartError(
        `no Ollama can be started at ${this.address}: ${found.what}. Set OLLAMA_HOST to an address of this machine, or use an Ollama elsewhere with OLLAMA_URL`,
      );
    }
    if (found.kind === "stranger") {
      throw new ServiceStartError(
        `port ${this.#network.port} is held by ${found.what}: stop it, or give Ollama another port with OLLAMA_PORT`,
      );
    }
    this.#spawn();
  }

  #spawn(): void {
    const { command, environment = process.env, log = this.#log, registry } = this.#options;
    let words = command;
    if (!words) {
      const binary = findBinary(this.#options.binary ?? "", environment.PATH);
      if ("missing" in binary) {
        this.#state = "missing";
        throw new ServiceStartError(binary.missing);
      }
      words = [binary.found, "serve"];
    }
    const child = new Child({
      name: "Ollama",
      command: words,
      environment: () => ({
        ...this.#options.environmentAtStart?.(),
        ...environment,
        OLLAMA_HOST: this.#network.listenOn,
      }),
      probe: (signal) => this.#answers(signal),
      output: (chunk) => this.#output.write(chunk),
      readyWithinMs: this.#options.readyWithinMs ?? 60_000,
      probeEveryMs: this.#options.probeEveryMs ?? 2000,
      // A machine that swaps or loads a model can leave Ollama silent for a while: slow to condemn.
      probeWithinMs: this.#options.probeWithinMs ?? 10_000,
      probeMisses: PROBE_MISSES,
      stdin: "ignore",
      registry: registry ?? new ChildRegistry(null, log),
      log,
      advice: "Its last words are at GET /api/engine/log; start it again with POST /api/engine/restart",
      ...(this.#options.backoffMs === undefined ? {} : { backoffMs: this.#options.backoffMs }),
    });
    child.onChange(() => {
      if (child.state === "ready") this.#nowReady();
      else this.#readySince = null;
      this.#tell();
    });
    this.#child = child;
    child.start();
  }

  #attached(): void {
    if (this.#state === "ready") return;
    this.#earlierRuns++;
    this.#foreign = true;
    this.#become("ready", null);
    this.#nowReady();
  }

  /** Looks after an engine that is not ours, or that could not be started yet, until there is a child. */
  async #keepLooking(life: AbortSignal): Promise<void> {
    const { probeEveryMs, url } = this.#options;
    let misses = 0;
    while (!this.#child) {
      await sleepUnless(life, probeEveryMs ?? (this.#foreign || url ? 2000 : LOOK_AGAIN_MS));
      if (life.aborted) return;
      const found = await occupant(this.address, this.#options.probeWithinMs ?? 10_000);
      if (life.aborted) return;
      misses = isSilent(found) ? misses + 1 : 0;
      if (found.kind === "ollama") this.#attached();
      else if (this.#state === "ready" && misses > 0 && misses < PROBE_MISSES) continue;
      else if (this.#foreign || url) {
        const what = sayOccupant(found);
        const wasThere = `the Ollama at ${this.address} is gone: ${what}. Start it where it was started`;
        // Where something answers that won't do, as with a certificate that has expired, starting is no cure.
        const isAway = found.kind === "nothing" || found.kind === "unreachable";
        this.#become("down", this.run > 0 && isAway ? wasThere : `no Ollama at ${this.address}: ${what}`);
      } else if (found.kind === "nothing") {
        try {
          this.#spawn();
        } catch (error) {
          this.#become(this.#state, messageOf(error));
        }
      } else this.#become("down", `no Ollama at ${this.address}: ${sayOccupant(found)}`);
    }
  }

  #nowReady(): void {
    if (this.#readySince === null) {
      this.#readySince = performance.now();
      this.#client.version().then(
        (version) => {
          this.#version = version;
        },
        (error) => this.#log.warn({ error: messageOf(error) }, "Ollama's version can't be read"),
      );
    }
  }

  async #answers(signal: AbortSignal): Promise<boolean> {
    const response = await fetch(`${this.address}/`, { signal });
    return response.ok && (await response.text()).trim() === "Ollama is running";
  }

  async #wait(seconds: number): Promise<void> {
    if (!(seconds > 0)) return;
    try {
      await this.ready(AbortSignal.timeout(seconds * 1000));
    } catch {
      // The contract's start goes on in the background: `isRunning` and `why` tell.
    }
  }

  #become(state: EngineState, why: string | null): void {
    const { state: before, why: said } = { state: this.#state, why: this.#why };
    this.#state = state;
    this.#why = why;
    if (state !== "ready") this.#readySince = null;
    if (before !== state || said !== why) {
      this.#log[state === "ready" ? "info" : "warn"](
        { address: this.address, ...(why ? { why } : {}) },
        `Ollama ${state}`,
      );
    }
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
