/** Chat: to try a model. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { filters, hrefOf, setFilters } from "../../shared/address";
import { call, type InstalledModel } from "../../shared/api";
import { useKeys } from "../../shared/keys";
import { useLoaded } from "../../shared/loaded";
import { Empty, Trouble } from "../../shared/parts";
import { Composer } from "./composer";
import { clear, editLast, regenerate, stop, turns } from "./conversation";
import { Options } from "./options";
import { Turns } from "./turns";

export function Chat() {
  const installed = useLoaded((signal) => call("GET /api/ollama/models", { signal }), []);
  const notes = useLoaded((signal) => call("GET /api/models/repository", { signal }), []);
  const chosen = filters.value.get("model");
  const isNoted = (name: string, mark: "is_default" | "is_favorite") =>
    notes.value?.models.some((model) => model.name === name && model[mark]) ?? false;
  const able = (installed.value?.models ?? []).filter((model) => can(model, "completion"));
  const rank = ({ name }: InstalledModel) =>
    isNoted(name, "is_default") ? 2 : isNoted(name, "is_favorite") ? 1 : 0;
  const names = able
    .sort((a, b) => rank(b) - rank(a) || a.name.localeCompare(b.name))
    .map(({ name }) => name);
  // Nothing is chosen for anybody before it is known which is the default.
  const isKnown = installed.value !== null && (notes.value !== null || notes.error !== null);
  const model = chosen ?? (isKnown ? (names[0] ?? "") : "");
  const found = able.find(({ name }) => name === model);
  const field = useRef<HTMLTextAreaElement>(null);
  const latest = useRef(model);
  latest.current = model;
  // Not where that would bring up a keyboard over what is to be read.
  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, []);
  useKeys(
    useMemo(
      () => ({
        "/": ["Write a message", () => field.current?.focus()],
        Escape: ["Stop the reply", stop],
        r: ["Have it answered again", () => regenerate(latest.current)],
        e: [
          "Edit the last message",
          () => {
            editLast();
            field.current?.focus();
          },
        ],
      }),
      [],
    ),
  );
  return (
    <>
      <div class="view-head">
        <h1>Chat</h1>
        <select
          aria-label="Model"
          value={model}
          disabled={!isKnown}
          onChange={(event) => setFilters({ model: event.currentTarget.value })}
        >
          {model === "" && <option value="">{isKnown || installed.error ? "no model" : "Looking…"}</option>}
          {(model === "" || names.includes(model) ? names : [model, ...names]).map((name) => (
            <option key={name} value={name}>
              {name}
              {isNoted(name, "is_default") ? " (default)" : isNoted(name, "is_favorite") ? " ★" : ""}
            </option>
          ))}
        </select>
        {turns.value.length > 0 && (
          <button type="button" class="button" onClick={clear}>
            Clear
          </button>
        )}
      </div>
      <Options />
      <div class="panel conversation">
        {installed.error ? (
          <Trouble error={installed.error} retry={installed.reload} />
        ) : isKnown && model === "" ? (
          <Empty>
            No installed model can chat. <a href={hrefOf("models")}>Pull one</a> first.
          </Empty>
        ) : (
          turns.value.length === 0 && (
            <Empty>
              Write something below. What is said stays in this page until it is closed or reloaded, and is on
              record as any request is.
            </Empty>
          )
        )}
        <Turns model={model} />
        <Composer model={model} field={field} takesPictures={found !== undefined && can(found, "vision")} />
      </div>
    </>
  );
}

/** Older versions of Ollama do not tell: then it may be able to. */
function can({ capabilities }: InstalledModel, what: string): boolean {
  return capabilities?.includes(what) ?? true;
}
