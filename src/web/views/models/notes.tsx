/** What people note about a model, changed in its place: seen at once, and undone when it is refused. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { call, type RepositoryChanges, type RepositoryModel } from "../../shared/api";
import { sayError } from "../../shared/toasts";

export type Notes = Required<RepositoryChanges>;

/** By name; null before the first answer. */
export const repository = signal<ReadonlyMap<string, Notes> | null>(null);

const none: Notes = { description: "", tags: [], is_favorite: false, is_default: false };

export function noted(name: string): Notes {
  return repository.value?.get(name) ?? none;
}

export function takeRepository({ models }: { readonly models: readonly RepositoryModel[] }): void {
  repository.value = new Map(models.map((model) => [model.name, model]));
}

/** Changes go one after the other: what notes a model first must be there when it is noted more of it. */
let lastSent: Promise<unknown> = Promise.resolve();
let underWay = 0;
let isRefused = false;

async function change(name: string, changes: RepositoryChanges): Promise<void> {
  const before = repository.value ?? new Map<string, Notes>();
  const isKnown = before.has(name);
  const after = new Map(before).set(name, { ...noted(name), ...changes });
  if (changes.is_default)
    for (const [other, notes] of after) if (other !== name) after.set(other, { ...notes, is_default: false });
  repository.value = after;
  const send = async () => {
    if (isKnown) await call("PUT /api/models/repository/:name", { params: { name }, body: changes });
    else await call("POST /api/models/repository", { body: { name, ...changes } });
  };
  underWay += 1;
  const sent = lastSent.then(send);
  lastSent = sent.catch(() => undefined);
  try {
    await sent;
  } catch (error) {
    repository.value = before;
    isRefused = true;
    sayError(error);
  }
  underWay -= 1;
  if (!isRefused || underWay > 0) return;
  // Somebody else may have changed it meanwhile, and what was changed after it was undone with it.
  isRefused = false;
  await call("GET /api/models/repository").then(takeRepository, sayError);
}

interface Noted {
  readonly name: string;
}

export function Favorite({ name }: Noted) {
  const { is_favorite } = noted(name);
  return (
    <button
      type="button"
      class="toggle"
      aria-pressed={is_favorite}
      aria-label={`Favourite: ${name}`}
      title={is_favorite ? "A favourite" : "Make it a favourite"}
      onClick={() => change(name, { is_favorite: !is_favorite })}
    >
      {is_favorite ? "★" : "☆"}
    </button>
  );
}

export function Default({ name }: Noted) {
  const { is_default } = noted(name);
  return (
    <button
      type="button"
      class="toggle"
      aria-pressed={is_default}
      aria-label={`Default: ${name}`}
      title={is_default ? "The default: taken first where nobody chooses" : "Make it the default"}
      onClick={() => change(name, { is_default: !is_default })}
    >
      {is_default ? "◉" : "○"}
    </button>
  );
}

export function Tags({ name }: Noted) {
  const { tags } = noted(name);
  return (
    <Editable
      label={`Tags of ${name}`}
      value={tags.join(", ")}
      placeholder="Add tags"
      onKeep={(text) => {
        const words = text.split(",").map((word) => word.trim());
        change(name, { tags: [...new Set(words.filter(Boolean))] });
      }}
    >
      {tags.map((tag) => (
        <span key={tag}>
          <span class="chip">{tag}</span>{" "}
        </span>
      ))}
    </Editable>
  );
}

export function Description({ name }: Noted) {
  const { description } = noted(name);
  return (
    <Editable
      label={`Description of ${name}`}
      value={description}
      placeholder="Add a description"
      onKeep={(text) => change(name, { description: text.trim() })}
    >
      {description}
    </Editable>
  );
}

interface EditableProps {
  readonly label: string;
  readonly value: string;
  /** What is seen, and pressed, while there is no value. */
  readonly placeholder: string;
  readonly onKeep: (text: string) => void;
  /** What is seen of a value. */
  readonly children: ComponentChildren;
}

/** A text that becomes a field when it is pressed. Enter, or leaving it, keeps what was written; Escape does not. */
function Editable({ label, value, placeholder, onKeep, children }: EditableProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const wasEdited = useRef(false);
  const isEdited = draft !== null;
  useLayoutEffect(() => {
    if (isEdited) field.current?.select();
    else if (wasEdited.current && document.activeElement === document.body) button.current?.focus();
    wasEdited.current = isEdited;
  }, [isEdited]);
  const isDropped = useRef(false);
  const end = () => {
    setDraft(null);
    if (draft !== null && draft !== value && !isDropped.current) onKeep(draft);
    isDropped.current = false;
  };
  if (draft === null)
    return (
      <button ref={button} type="button" class="editable" title={value} onClick={() => setDraft(value)}>
        <span class="unseen">{label}: </span>
        {value ? children : <span class="muted">{placeholder}</span>}
      </button>
    );
  return (
    <input
      ref={field}
      class="editing"
      aria-label={label}
      value={draft}
      maxLength={2000}
      onInput={(event) => setDraft(event.currentTarget.value)}
      onBlur={end}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== "Escape") return;
        // Else the same press would open it again: the button that takes its place has the focus then.
        event.preventDefault();
        isDropped.current = event.key === "Escape";
        event.currentTarget.blur();
      }}
    />
  );
}
