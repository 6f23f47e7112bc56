/** What is looked at: range, filters, and how figures are apart. All of it is in the address. */
import { useMemo, useState } from "preact/hooks";
import { filters, setFilters } from "../../shared/address";
import { call } from "../../shared/api";
import { Dialog } from "../../shared/dialog";
import * as say from "../../shared/format";
import { type Keys, useKeys } from "../../shared/keys";
import { useLoaded, useModelNames } from "../../shared/loaded";
import { type Figures, operations, percentileNames, shortServer } from "./figures";
import {
  between,
  goToRange,
  LONGEST_MS,
  lastHours,
  move,
  presets,
  readRange,
  type Span,
  sayRange,
  widen,
} from "./range";

export function Controls({ figures }: { readonly figures: Figures | null }) {
  const [isChoosing, setChoosing] = useState(false);
  const span = figures?.summary ?? null;
  const keys = useMemo<Keys>(
    () => ({
      w: ["Wider range: back to where you came from", widen],
      "[": ["Earlier", () => move(-1)],
      "]": ["Later", () => move(1)],
      r: ["Choose a range", () => setChoosing(true)],
    }),
    [],
  );
  useKeys(keys);
  const range = readRange(filters.value);
  const isPreset = (hours: number) => range.to === null && range.hours === hours;
  const isOwn = !presets.some(([hours]) => isPreset(hours));
  return (
    <div class="controls">
      <fieldset class="choices">
        <legend class="unseen">Range</legend>
        {presets.map(([hours, words]) => (
          <button
            key={hours}
            type="button"
            class="button"
            aria-pressed={isPreset(hours)}
            onClick={() => goToRange(lastHours(hours))}
          >
            {words}
          </button>
        ))}
        <button
          type="button"
          class="button"
          aria-pressed={isOwn}
          title="Choose a range (r)"
          onClick={() => setChoosing(true)}
        >
          {isOwn ? sayRange(range, span) : "From – to…"}
        </button>
        <span class="steps">
          <button
            type="button"
            class="button"
            title="Earlier ([)"
            aria-label="Earlier"
            onClick={keys["["]?.[1]}
          >
            ‹
          </button>
          <button type="button" class="button" title="Wider range (w)" onClick={keys.w?.[1]}>
            Wider
          </button>
          <button
            type="button"
            class="button"
            title="Later (])"
            aria-label="Later"
            disabled={range.to === null}
            onClick={keys["]"]?.[1]}
          >
            ›
          </button>
        </span>
      </fieldset>
      <Filters />
      {isChoosing && <ChooseRange span={span} close={() => setChoosing(false)} />}
    </div>
  );
}

function Filters() {
  const models = useModelNames();
  const chosen = filters.value.get("server");
  const servers = useLoaded(
    (signal) => call("GET /api/stats/summary", { query: { hours: 8760, group_by: "server" }, signal }),
    [],
  );
  const ids = servers.value?.groups.map(({ server = "" }) => server) ?? [];
  return (
    <fieldset class="filters">
      <legend class="unseen">Filters</legend>
      <Select
        label="Model"
        name="model"
        words={[["", "every model"], ...models.map((name) => [name, name] as const)]}
      />
      <Select label="Kind of work" name="operation" words={[["", "every kind"], ...operations]} />
      {(ids.length > 1 || chosen) && (
        <Select
          label="Server"
          name="server"
          words={[["", "every server"], ...ids.map((id) => [id, shortServer(id)] as const)]}
        />
      )}
      <Select
        label="Apart by"
        name="group_by"
        words={[
          ["", "nothing"],
          ["model", "model"],
          ["operation", "kind of work"],
          ["server", "server"],
        ]}
      />
      {filters.value.has("group_by") && (
        <Select
          label="Percentile"
          name="percentile"
          words={[
            ["", "p95"],
            ...percentileNames.filter((name) => name !== "p95").map((name) => [name, name] as const),
          ]}
        />
      )}
    </fieldset>
  );
}

interface SelectProps {
  readonly label: string;
  /** Of the filter. */
  readonly name: string;
  readonly words: readonly (readonly [value: string, words: string])[];
}

function Select({ label, name, words }: SelectProps) {
  const value = filters.value.get(name) ?? "";
  // What an address asks for need not be there any more.
  const all = words.some(([one]) => one === value) ? words : [...words, [value, value] as const];
  return (
    <label class="field">
      {label}
      <select value={value} onChange={(event) => setFilters({ [name]: event.currentTarget.value })}>
        {all.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function ChooseRange({ span, close }: { readonly span: Span | null; readonly close: () => void }) {
  const [error, setError] = useState<string | null>(null);
  const choose = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const fields = new FormData(event.currentTarget);
    const from = Date.parse(String(fields.get("from")));
    const to = fields.get("to") ? Date.parse(String(fields.get("to"))) : Date.now();
    if (!(from < to)) return setError("It takes a begin that is before the end, and before now.");
    if (to - from > LONGEST_MS) return setError("It takes four years at most.");
    goToRange(between(from, to));
    close();
  };
  return (
    <Dialog title="Choose a range" onClose={close}>
      <form onSubmit={choose}>
        <label class="field">
          From
          <input
            type="datetime-local"
            name="from"
            required
            defaultValue={span ? say.localField(new Date(span.from)) : ""}
          />
        </label>
        <label class="field">
          To; until now when empty
          <input
            type="datetime-local"
            name="to"
            defaultValue={span ? say.localField(new Date(span.to)) : ""}
          />
        </label>
        <p class="error-text" role="alert">
          {error}
        </p>
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button primary">
            Show it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
