/** Models as people see them: what is installed, what is noted about it, how it was used, whether it is in memory. */
import { signal } from "@preact/signals";
import { call, type InstalledModel, type ModelUse } from "../../shared/api";
import { active, endedTick } from "../../shared/live";
import { useLoaded } from "../../shared/loaded";
import { canonicalModel, type LoadedModel } from "../../shared/ollama";
import { moving } from "./memory";
import { type Notes, noted, repository, takeRepository } from "./notes";

export interface Model {
  readonly name: string;
  /** Null for one that is not installed. */
  readonly installed: InstalledModel | null;
  readonly notes: Notes;
  /** Null for one that nobody has asked for; undefined while that is not known. */
  readonly use: ModelUse | null | undefined;
  /** Null for one that is not in memory. */
  readonly loaded: LoadedModel | null;
}

/** Grows when models were installed or deleted. */
export const installedTick = signal(0);

const MOST = 1000;

export function useModels() {
  const installed = useLoaded(
    (signal) => call("GET /api/ollama/models", { signal }),
    [installedTick.value],
    60_000,
  );
  const loaded = useLoaded(
    (signal) => call("GET /api/ps", { signal }),
    [endedTick.value, active.value.length, moving.value],
    moving.value.size > 0 ? 1000 : 10_000,
  );
  const use = useLoaded(
    (signal) => call("GET /api/models", { query: { limit: MOST }, signal }),
    [endedTick.value],
  );
  const notes = useLoaded(
    (signal) => call("GET /api/models/repository", { signal }).then(takeRepository),
    [],
    60_000,
  );

  const installedBy = new Map(installed.value?.models.map((model) => [model.name, model]));
  const useBy = new Map(use.value?.models.map((model) => [model.name, model]));
  const loadedBy = new Map(loaded.value?.models?.map((model) => [canonicalModel(model.name), model]));
  const modelOf = (name: string): Model => ({
    name,
    installed: installedBy.get(name) ?? null,
    notes: noted(name),
    use: use.value ? (useBy.get(name) ?? null) : undefined,
    loaded: loadedBy.get(name) ?? null,
  });
  const known = new Set([...installedBy.keys(), ...useBy.keys(), ...(repository.value?.keys() ?? [])]);
  return {
    installed,
    modelOf,
    models: [...known].map(modelOf),
    /** Why figures or notes are missing; null when none are. */
    missing: use.error ?? notes.error,
    reload: () => {
      use.reload();
      notes.reload();
    },
    /** Whether all that rows are sorted by has been answered. */
    isWhole: use.value !== null && repository.value !== null,
  };
}
