/** The installed models, sorted by any column; those that were used or noted, and are not installed. */
import { useMemo } from "preact/hooks";
import { filters, hrefOf, setFilters } from "../../shared/address";
import * as say from "../../shared/format";
import { Time } from "../../shared/parts";
import { type Column, Table } from "../../shared/table";
import { Memory } from "./memory";
import type { Model } from "./models";
import { Default, Description, Favorite, Tags } from "./notes";
import { pull } from "./pulls";
import { remove, removing } from "./remove";

type Value = string | number;

/** What can be sorted by; names from a to z at first, all else from the most. */
const orders = new Map<string, (model: Model) => Value>([
  ["default", ({ notes }) => Number(notes.is_default)],
  ["name", ({ name }) => name],
  ["size", ({ installed }) => installed?.size_bytes ?? 0],
  ["parameters", ({ installed }) => parametersOf(installed?.parameter_size ?? "")],
  ["quantisation", ({ installed }) => installed?.quantization_level ?? ""],
  ["family", ({ installed }) => installed?.family ?? ""],
  ["requests", ({ use }) => use?.total_requests ?? 0],
  ["tokens", ({ use }) => use?.total_tokens ?? 0],
  ["speed", ({ use }) => use?.tokens_per_second ?? 0],
  ["last_used", ({ use }) => use?.last_used ?? ""],
  ["memory", ({ loaded }) => loaded?.size ?? 0],
]);

/** "3.2B", "137M" */
function parametersOf(text: string): number {
  const units: Readonly<Record<string, number>> = { K: 1e3, M: 1e6, B: 1e9, T: 1e12 };
  return Number.parseFloat(text) * (units[text.slice(-1)] ?? 1) || 0;
}

const uses: readonly Column<Model>[] = [
  {
    title: "Requests",
    sort: "requests",
    isNumber: true,
    isMinor: true,
    cell: ({ use }) => say.count(use === null ? 0 : use?.total_requests),
  },
  {
    title: "Tokens",
    sort: "tokens",
    isNumber: true,
    isMinor: true,
    cell: ({ use }) => say.count(use === null ? 0 : use?.total_tokens),
  },
];
const lastUsed: Column<Model> = {
  title: "Last used",
  sort: "last_used",
  isNumber: true,
  isMinor: true,
  cell: ({ use }) => (use ? <Time at={use.last_used} /> : use === null ? "never" : say.unknown),
};

const columns = (models: readonly Model[]): readonly Column<Model>[] => [
  { title: "Favourite", isTitleHidden: true, cell: ({ name }) => <Favorite name={name} /> },
  { title: "Default", sort: "default", isMinor: true, cell: ({ name }) => <Default name={name} /> },
  {
    title: "Model",
    sort: "name",
    isWide: true,
    cell: ({ name, notes }) => (
      <div class="model">
        <div>
          <a href={hrefOf("models", {}, [name])}>{name}</a>
          {notes.is_default && <span class="chip default">default</span>}
          <Tags name={name} />
        </div>
        <Description name={name} />
      </div>
    ),
  },
  { title: "Size", sort: "size", isNumber: true, cell: ({ installed }) => say.bytes(installed?.size_bytes) },
  {
    title: "Parameters",
    sort: "parameters",
    isNumber: true,
    isMinor: true,
    cell: ({ installed }) => installed?.parameter_size || say.unknown,
  },
  {
    title: "Quantisation",
    sort: "quantisation",
    isMinor: true,
    cell: ({ installed }) => installed?.quantization_level || say.unknown,
  },
  {
    title: "Family",
    sort: "family",
    isMinor: true,
    cell: ({ installed }) => installed?.family || say.unknown,
  },
  ...uses,
  {
    title: "Tokens/s",
    sort: "speed",
    isNumber: true,
    isMinor: true,
    cell: (model) => say.number(model.use?.tokens_per_second),
  },
  lastUsed,
  {
    title: "Memory",
    sort: "memory",
    isNumber: true,
    isMinor: true,
    cell: (model) => <Memory model={model} />,
  },
  {
    title: "Delete",
    isTitleHidden: true,
    isNumber: true,
    isMinor: true,
    cell: (model) => (
      <button
        type="button"
        class="button small"
        aria-label={`Delete ${model.name}`}
        disabled={removing.value.has(model.name)}
        onClick={() => remove(model, models)}
      >
        {removing.value.has(model.name) ? "Deleting…" : "Delete"}
      </button>
    ),
  },
];

/** @param isWhole whether all that is sorted by is there */
export function Installed({
  models,
  isWhole,
}: {
  readonly models: readonly Model[];
  readonly isWhole: boolean;
}) {
  const by = filters.value.get("sort") ?? "";
  const isDescending = filters.value.has("order")
    ? filters.value.get("order") === "desc"
    : by !== "" && by !== "name";
  const names = models.map(({ name }) => name).join("\n");
  // Figures move on while one looks: rows do not.
  const order = useMemo(
    () => sorted(models, by, isDescending).map(({ name }) => name),
    [names, by, isDescending, isWhole],
  );
  const byName = new Map(models.map((model) => [model.name, model]));
  return (
    <Table
      caption="Installed models"
      columns={columns(models)}
      rows={order.flatMap((name) => byName.get(name) ?? [])}
      keyOf={({ name }) => name}
      sorting={{
        by,
        isDescending,
        // Pressed again it is the other way round, and once more it is as at first.
        choose: (to) => {
          if (to !== by) setFilters({ sort: to, order: null });
          else if (filters.value.has("order")) setFilters({ sort: null, order: null });
          else setFilters({ order: isDescending ? "asc" : "desc" });
        },
      }}
    />
  );
}

/** By what was chosen, by name where that is the same; unless chosen favourites come first. */
function sorted(models: readonly Model[], by: string, isDescending: boolean): Model[] {
  const measure = orders.get(by) ?? (({ notes }) => Number(notes.is_favorite));
  const sign = by === "" || isDescending ? -1 : 1;
  return [...models].sort((a, b) => sign * compare(measure(a), measure(b)) || compare(a.name, b.name));
}

function compare(a: Value, b: Value): number {
  return typeof a === "string" && typeof b === "string" ? a.localeCompare(b) : Number(a) - Number(b);
}

const absentColumns: readonly Column<Model>[] = [
  {
    title: "Model",
    cell: ({ name }) => <a href={hrefOf("models", {}, [name])}>{name}</a>,
  },
  {
    title: "Description",
    isWide: true,
    isMinor: true,
    cell: ({ notes }) => <span class="muted">{notes.description}</span>,
  },
  ...uses,
  lastUsed,
  {
    title: "Pull",
    isTitleHidden: true,
    isNumber: true,
    cell: ({ name }) => (
      <button type="button" class="button small" aria-label={`Pull ${name}`} onClick={() => pull(name)}>
        Pull
      </button>
    ),
  },
];

/** Models that were used or noted, and are not installed. */
export function Absent({ models }: { readonly models: readonly Model[] }) {
  return (
    <Table
      caption="Models that are not installed, most requests first"
      columns={absentColumns}
      rows={[...models].sort((a, b) => (b.use?.total_requests ?? 0) - (a.use?.total_requests ?? 0))}
      keyOf={({ name }) => name}
    />
  );
}
