/** The models that are "loaded": who uses them, when they expire, and the child processes that stand for them. */
import { forever, goTime } from "./go-time";
import type { Model } from "./models";
import type { Settings } from "./settings";
import { until } from "./wait";

type Loaded = {
  model: Model;
  contextLength: number;
  ready: Promise<void>;
  users: number;
  /** Of the users those that are being answered; the others wait until one of them has been. */
  answered: number;
  answeredOne: PromiseWithResolvers<void>;
  expiresAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  runner: Bun.Subprocess | undefined;
};

export type Memory = ReturnType<typeof memory>;

const defaultLoadMs = 5;
const defaultContextLength = 4096;
const longestTimerMs = 2_147_483_647;

/** Keeps the loaded models. */
export function memory(settings: Settings) {
  const loaded = new Map<string, Loaded>();

  function load(model: Model, contextLength: number): Loaded {
    const entry: Loaded = {
      model,
      contextLength,
      ready: Bun.sleep(model.behaviour.load ?? defaultLoadMs),
      users: 0,
      answered: 0,
      answeredOne: Promise.withResolvers(),
      expiresAt: Date.now() + settings.keepAliveMs,
      timer: undefined,
      runner: settings.runner ? startRunner() : undefined,
    };
    loaded.set(model.name, entry);
    return entry;
  }

  function unload(name: string): void {
    const entry = loaded.get(name);
    if (!entry) return;
    clearTimeout(entry.timer);
    entry.runner?.kill();
    loaded.delete(name);
  }

  function expireLater(entry: Loaded, keepAliveMs: number): void {
    clearTimeout(entry.timer);
    entry.expiresAt = Date.now() + keepAliveMs;
    if (entry.users > 0 || loaded.get(entry.model.name) !== entry) return;
    if (keepAliveMs === 0) {
      unload(entry.model.name);
    } else {
      entry.timer = setTimeout(() => unload(entry.model.name), Math.min(keepAliveMs, longestTimerMs));
      entry.timer.unref();
    }
  }

  /** Waits for one of the places that there are at once. @returns gives it back @throws Gone */
  async function place(entry: Loaded, signal: AbortSignal): Promise<() => void> {
    while (entry.answered >= settings.parallel) await until(entry.answeredOne.promise, signal);
    entry.answered++;
    return () => {
      entry.answered--;
      entry.answeredOne.resolve();
      entry.answeredOne = Promise.withResolvers();
    };
  }

  return {
    unload,

    /**
     * Waits until the model is loaded and has a place free, and holds it until `release` is called. A context of another
     * length than the loaded one's loads it again, as Ollama does.
     * @returns `loadMs`: the time that loading is said to take, 0 when it was loaded already; `contextLength`: in tokens
     * @throws Gone when the client leaves first
     */
    async use(model: Model, wanted: { contextLength?: number | undefined }, signal: AbortSignal) {
      const asked = Math.min(wanted.contextLength ?? defaultContextLength, model.contextLength);
      const present = loaded.get(model.name);
      if (present && wanted.contextLength !== undefined && present.contextLength !== asked)
        unload(model.name);
      const known = loaded.get(model.name);
      const entry = known ?? load(model, asked);
      entry.users++;
      clearTimeout(entry.timer);
      let held = true;
      let leave = () => {};
      const release = (keepAliveMs: number = settings.keepAliveMs) => {
        if (!held) return;
        held = false;
        leave();
        entry.users--;
        expireLater(entry, keepAliveMs);
      };
      try {
        await until(entry.ready, signal);
        leave = await place(entry, signal);
      } catch (error) {
        release();
        throw error;
      }
      const loadMs = known ? 0 : (model.behaviour.load ?? defaultLoadMs);
      return { release, loadMs, contextLength: entry.contextLength };
    },

    /** The process ids of the runners. */
    runners: () => [...loaded.values()].flatMap((entry) => (entry.runner ? [entry.runner.pid] : [])),

    /** What `GET /api/ps` shows, the longest to stay first. */
    list: () =>
      [...loaded.values()]
        .sort((one, other) => other.expiresAt - one.expiresAt)
        .map(({ model, contextLength, expiresAt }) => {
          const size = model.size + contextLength * 32_768;
          return {
            name: model.name,
            model: model.name,
            size,
            digest: model.digest,
            details: model.details,
            expires_at: goTime(Math.min(expiresAt, Date.now() + forever)),
            size_vram: size,
            context_length: contextLength,
          };
        }),
  };
}

/** Like an orphaned runner of Ollama it stays when the simulator is killed: only its process group ends it. */
function startRunner(): Bun.Subprocess {
  const runner = Bun.spawn(["sleep", "3600"], { stdio: ["ignore", "ignore", "ignore"] });
  runner.unref();
  return runner;
}
