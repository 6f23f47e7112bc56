/** Models in memory: how much of each is on the GPU, its context, how long it stays. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../../shared/api";
import { now } from "../../shared/clock";
import * as say from "../../shared/format";
import { active, endedTick } from "../../shared/live";
import { useLoaded } from "../../shared/loaded";
import { canonicalModel, type LoadedModel } from "../../shared/ollama";
import { Empty, Panel, Skeleton, Trouble } from "../../shared/parts";
import { type Column, Table } from "../../shared/table";

/** As Ollama told last, for the figures; null before the first. */
export const loadedModels = signal<readonly LoadedModel[] | null>(null);

const FAR_MS = 10 * 365 * 86_400_000;

const columns: readonly Column<LoadedModel>[] = [
  { title: "Model", isWide: true, cell: ({ name }) => canonicalModel(name) },
  { title: "Memory", isNumber: true, cell: ({ size }) => say.bytes(size) },
  {
    title: "On GPU",
    isNumber: true,
    cell: ({ size, size_vram }) => say.percent(size ? (size_vram ?? 0) / size : null),
  },
  {
    title: "Context",
    isNumber: true,
    isMinor: true,
    cell: ({ context_length }) => say.count(context_length),
  },
  { title: "Stays", isNumber: true, cell: ({ expires_at }) => stays(expires_at) },
];

export function ModelsLoaded() {
  const answer = useLoaded(
    (signal) => call("GET /api/ps", { signal }),
    [endedTick.value, active.value.length],
    10_000,
  );
  useEffect(() => {
    if (answer.value) loadedModels.value = answer.value.models ?? [];
  }, [answer.value]);
  const models = answer.value?.models;
  return (
    <Panel
      title="Models loaded"
      note={models && models.length > 0 ? say.count(models.length) : undefined}
      class="models-loaded"
    >
      {models && models.length > 0 ? (
        <Table caption="Models loaded" columns={columns} rows={models} keyOf={({ name }) => name} />
      ) : answer.value ? (
        <Empty>None. Ollama loads a model with its first request, and keeps it for a while.</Empty>
      ) : answer.error ? (
        <Trouble error={answer.error} retry={answer.reload} />
      ) : (
        <Skeleton />
      )}
    </Panel>
  );
}

function stays(until: string | undefined): string {
  if (until === undefined) return say.unknown;
  const left = Date.parse(until) - now.value;
  // Ollama says "for ever" as a date that nobody lives to see.
  if (left > FAR_MS) return "for ever";
  const step = left > 60_000 ? 60_000 : 1000;
  return say.duration(Math.max(Math.floor(left / step) * step, 0));
}
