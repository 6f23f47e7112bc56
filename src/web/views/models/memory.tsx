/** Models in memory: loading one takes long, so how long it has taken so far is seen, and it can be broken off. */
import { signal } from "@preact/signals";
import { call } from "../../shared/api";
import { now } from "../../shared/clock";
import * as say from "../../shared/format";
import { isSecondClick } from "../../shared/parts";
import { sayError, say as tell } from "../../shared/toasts";
import type { Model } from "./models";

interface Move {
  readonly to: "load" | "unload";
  readonly since: number;
  readonly abort: AbortController;
}

/** Models on their way into memory, or out of it. */
export const moving = signal<ReadonlyMap<string, Move>>(new Map());

/** Within so long Ollama has unloaded a model that nobody uses. */
const UNLOADED_WITHIN_MS = 10_000;

function put(name: string, move: Move | null): void {
  const next = new Map(moving.value);
  if (move) next.set(name, move);
  else next.delete(name);
  moving.value = next;
}

async function load({ name, installed }: Model): Promise<void> {
  const abort = new AbortController();
  const since = Date.now();
  put(name, { to: "load", since, abort });
  // Ollama loads a model for a request without a prompt; one that makes embeddings takes those for embeddings alone.
  const embeds = installed?.capabilities && !installed.capabilities.includes("completion");
  try {
    if (embeds) await call("POST /api/embed", { body: { model: name, input: [] }, signal: abort.signal });
    else await call("POST /api/generate", { body: { model: name, stream: false }, signal: abort.signal });
    tell(`${name} is loaded, after ${say.duration(Date.now() - since)}.`);
  } catch (error) {
    sayError(error);
  }
  put(name, null);
}

async function unload({ name }: Model): Promise<void> {
  put(name, { to: "unload", since: Date.now(), abort: new AbortController() });
  try {
    await call("POST /api/generate", { body: { model: name, keep_alive: 0, stream: false } });
    await unloaded(name);
  } catch (error) {
    sayError(error);
  }
  put(name, null);
}

/** Ollama answers before the memory is free, and where the model is used only when that is over. */
async function unloaded(name: string): Promise<void> {
  const until = Date.now() + UNLOADED_WITHIN_MS;
  while (Date.now() < until) {
    const { models = [] } = await call("GET /api/ps");
    if (!models.some((model) => model.name === name || model.name === `${name}:latest`)) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  tell(`${name} is still in use: Ollama unloads it when its last request is over.`);
}

/** Whether a model is in memory, and the way there or out. */
export function Memory({ model }: { readonly model: Model }) {
  const move = moving.value.get(model.name);
  if (move?.to === "load")
    return (
      <span class="memory">
        <span>Loading, {say.duration(Math.max(0, Math.floor((now.value - move.since) / 1000)) * 1000)}</span>
        <progress aria-label={`${model.name} is being loaded`} />
        <button
          type="button"
          class="button small"
          onClick={(event) => isSecondClick(event) || move.abort.abort()}
        >
          Stop
        </button>
      </span>
    );
  const isLoaded = model.loaded !== null;
  return (
    <span class={isLoaded ? "memory good" : "memory"}>
      {isLoaded && (
        <span>
          <i class="dot" aria-hidden="true" /> {wordsOf(model)}
        </span>
      )}
      {model.installed && (
        <button
          type="button"
          class="button small"
          disabled={move !== undefined}
          aria-label={`${isLoaded ? "Unload" : "Load"} ${model.name}`}
          onClick={() => (isLoaded ? unload(model) : load(model))}
        >
          {move ? "Unloading…" : isLoaded ? "Unload" : "Load"}
        </button>
      )}
    </span>
  );
}

function wordsOf({ loaded }: Model): string {
  if (!loaded) return "";
  const onGpu = loaded.size ? (loaded.size_vram ?? 0) / loaded.size : null;
  return [say.bytes(loaded.size), onGpu !== null && onGpu < 1 && `${say.percent(onGpu)} on the GPU`]
    .filter(Boolean)
    .join(", ");
}
