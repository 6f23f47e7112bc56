/** Models: what is installed, how it is used, and what can be. */
import { useMemo, useRef, useState } from "preact/hooks";
import { filters, pathRest, setFilters } from "../../shared/address";
import * as say from "../../shared/format";
import { useKeys } from "../../shared/keys";
import { Empty, Panel, Skeleton, Trouble } from "../../shared/parts";
import { Details } from "./details";
import { Absent, Installed } from "./list";
import { type Model, useModels } from "./models";
import { PullDialog } from "./pull-dialog";
import { PastPulls, Running, usePulls } from "./pulls";

export function Models() {
  const { installed, models, modelOf, missing, reload, isWhole } = useModels();
  const pulls = usePulls();
  const [isPulling, setPulling] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  useKeys(
    useMemo(
      () => ({
        p: ["Pull a model", () => setPulling(true)],
        "/": ["Find among the models", () => search.current?.focus()],
      }),
      [],
    ),
  );
  const [name] = pathRest.value;
  const here = models.filter((model) => model.installed);
  const found = here.filter(fits(filters.value.get("q") ?? ""));
  const absent = installed.value ? models.filter((model) => !model.installed) : [];
  const dialog = isPulling && (
    <PullDialog close={() => setPulling(false)} isInstalled={(one) => modelOf(one).installed !== null} />
  );
  if (name !== undefined)
    return (
      <>
        <Details key={name} model={modelOf(name)} models={models} isKnown={installed.value !== null}>
          <Running />
        </Details>
        {dialog}
      </>
    );
  return (
    <>
      <div class="view-head">
        <h1>Models</h1>
        <span class="muted">{installed.value && summaryOf(here)}</span>
        <input
          ref={search}
          type="search"
          aria-label="Find among the models"
          placeholder="Find"
          value={filters.value.get("q") ?? ""}
          onInput={(event) => setFilters({ q: event.currentTarget.value })}
        />
        <button
          type="button"
          class="button primary"
          onClick={() => setPulling(true)}
          title="Pull a model (p)"
        >
          Pull a model
        </button>
      </div>
      {pulls.error && <Trouble error={pulls.error} retry={pulls.reload} />}
      {missing && <Trouble error={missing} retry={reload} />}
      <Running />
      <Panel title="Installed" note={here.length > 0 ? say.count(here.length) : undefined} class="installed">
        {found.length > 0 ? (
          <Installed models={found} isWhole={isWhole} />
        ) : here.length > 0 ? (
          <Empty>No model fits “{filters.value.get("q")}”.</Empty>
        ) : installed.value ? (
          <Empty command={`curl -N ${location.origin}/api/ollama/pull -d '{"model": "llama3.2"}'`}>
            No model is installed yet. Pull one here, or with:
          </Empty>
        ) : installed.error ? (
          <Trouble error={installed.error} retry={installed.reload} />
        ) : (
          <Skeleton lines={6} />
        )}
      </Panel>
      {absent.length > 0 && (
        <Panel title="Not installed" note="but used before, or noted">
          <Absent models={absent} />
        </Panel>
      )}
      <PastPulls />
      {dialog}
    </>
  );
}

/** "6 of 14.2 GB, 2 in memory with 5.1 GB" */
function summaryOf(models: readonly Model[]): string {
  const loaded = models.filter((model) => model.loaded);
  const sum = (list: readonly Model[], measure: (model: Model) => number | undefined) =>
    say.bytes(list.reduce((all, model) => all + (measure(model) ?? 0), 0));
  if (models.length === 0) return "";
  const size = `${sum(models, ({ installed }) => installed?.size_bytes)} on disk`;
  return loaded.length === 0
    ? size
    : `${size}, ${sum(loaded, (model) => model.loaded?.size)} in memory (${loaded.length})`;
}

function fits(words: string): (model: Model) => boolean {
  const asked = words.toLowerCase().split(/\s+/).filter(Boolean);
  return ({ name, installed, notes }) => {
    const text = [name, installed?.family, notes.description, ...notes.tags].join(" ").toLowerCase();
    return asked.every((word) => text.includes(word));
  };
}
