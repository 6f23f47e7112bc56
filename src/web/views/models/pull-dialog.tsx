/** Choosing what to pull: by name, or from the library as Corral knows it. */
import { useEffect, useState } from "preact/hooks";
import { call, type Library } from "../../shared/api";
import { Dialog } from "../../shared/dialog";
import { useLoaded } from "../../shared/loaded";
import { Empty, reachable, Skeleton, Trouble } from "../../shared/parts";
import { pull } from "./pulls";

const SHOWN = 30;
/** So long after the last key it is searched. */
const PAUSE_MS = 200;

interface PullDialogProps {
  readonly close: () => void;
  /** By name. */
  readonly isInstalled: (name: string) => boolean;
}

export function PullDialog({ close, isInstalled }: PullDialogProps) {
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const library = useLoaded(
    async (signal) => {
      const page = await call("GET /api/ollama/library", { query: { q: asked, limit: SHOWN }, signal });
      return { ...page, asked };
    },
    [asked],
  );
  const choose = (name: string) => {
    pull(name);
    close();
  };
  return (
    <Dialog title="Pull a model" onClose={close}>
      <form
        class="pull-form"
        onSubmit={(event) => {
          event.preventDefault();
          choose(text.trim());
        }}
      >
        <label class="field">
          Its name, or words to search the library for
          <input
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            placeholder="llama3.2:3b"
            autocomplete="off"
            spellcheck={false}
          />
        </label>
        <button type="submit" class="button primary" disabled={text.trim() === ""}>
          Pull
        </button>
      </form>
      <section class="library" aria-label="Library" ref={reachable}>
        {library.value ? (
          library.value.models.length > 0 ? (
            <ul>
              {library.value.models.map((model) => (
                <Entry key={model.name} model={model} isInstalled={isInstalled} choose={choose} />
              ))}
            </ul>
          ) : (
            <Empty>
              The library has nothing for “{library.value.asked}”. A name that you know can be pulled all the
              same.
            </Empty>
          )
        ) : library.error ? (
          <Trouble error={library.error} retry={library.reload} />
        ) : (
          <Skeleton lines={6} />
        )}
      </section>
      <div class="dialog-buttons">
        <p class="muted">
          {library.error ? "" : library.value?.asked === text.trim() ? sourceOf(library.value) : "Searching…"}
        </p>
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

interface EntryProps extends Pick<PullDialogProps, "isInstalled"> {
  readonly model: Library["models"][number];
  readonly choose: (name: string) => void;
}

function Entry({ model: { name, description, tags, sizes, capabilities }, isInstalled, choose }: EntryProps) {
  const known = tags.length > 0 ? tags.filter((tag) => tag !== "latest") : sizes;
  return (
    <li>
      <div class="choices">
        <b>{name}</b>
        {capabilities.map((word) => (
          <span key={word} class="chip">
            {word}
          </span>
        ))}
      </div>
      <p class="muted">{description}</p>
      <div class="choices">
        {["latest", ...known].map((tag) => {
          const full = tag === "latest" ? name : `${name}:${tag}`;
          return (
            <button
              key={tag}
              type="button"
              class="button small"
              aria-label={`Pull ${name}:${tag}${isInstalled(full) ? ", which is installed" : ""}`}
              onClick={() => choose(full)}
            >
              {tag}
              {isInstalled(full) && <span aria-hidden="true"> ✓</span>}
            </button>
          );
        })}
      </div>
    </li>
  );
}

function sourceOf({ source, as_of }: Library) {
  const others = "Any other name can be typed, such as hf.co/owner/model:Q4_K_M.";
  return source === "shipped"
    ? `From the list that came with Corral, of ${as_of}. ${others}`
    : `From ollama.com. ${others}`;
}
