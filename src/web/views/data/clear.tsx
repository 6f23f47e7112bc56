/** Deleting for good: counted before, confirmed, and followed while it runs. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, call } from "../../shared/api";
import { confirmed } from "../../shared/dialog";
import * as say from "../../shared/format";
import { useModelNames } from "../../shared/loaded";
import { Panel, Trouble } from "../../shared/parts";
import { say as tell } from "../../shared/toasts";

type What = "logs" | "metrics" | "all";

interface Wanted {
  readonly what: What;
  /** RFC 3339; null for all times. */
  readonly before: string | null;
  /** Null for every model. */
  readonly model: string | null;
}

const whats: Readonly<Record<What, string>> = {
  logs: "Requests and texts",
  metrics: "Metrics",
  all: "Both",
};

const EVERY_MS = 1000;

/** What is being done; it goes on when the view is left. */
const state = signal<
  | { readonly step: "counting" }
  | { readonly step: "deleting"; readonly total: number; readonly left: number }
  | { readonly step: "failed"; readonly error: Error; readonly wanted: Wanted }
  | null
>(null);
/** Grows when something was deleted. */
const cleared = signal(0);

export function Clear({ onCleared }: { readonly onCleared: () => void }) {
  const models = useModelNames();
  useEffect(() => {
    if (cleared.value > 0) onCleared();
  }, [cleared.value]);
  const now = state.value;
  const isBusy = now?.step === "counting" || now?.step === "deleting";
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (event.currentTarget instanceof HTMLFormElement) void clear(read(event.currentTarget));
  };
  return (
    <Panel title="Clear" class="clear">
      <form onSubmit={submit}>
        <label class="field">
          What
          <select name="what">
            {Object.entries(whats).map(([what, words]) => (
              <option key={what} value={what}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          From before; empty for all times
          <input type="datetime-local" name="before" max="9999-12-31T23:59" />
        </label>
        <label class="field">
          Of the model
          <select name="model">
            <option value="">every model</option>
            {models.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button type="submit" class="button" disabled={isBusy}>
          {now?.step === "counting" ? "Counting…" : now?.step === "deleting" ? "Deleting…" : "Delete…"}
        </button>
      </form>
      <div class="state" role="status">
        {now?.step === "deleting" && (
          <>
            <progress value={now.total - now.left} max={now.total} aria-label="Deleted" />
            <p class="muted">
              {say.count(now.total - now.left)} of {say.plural(now.total, "row")} are gone. It gives their
              space back at the end, and goes on when you leave.
            </p>
          </>
        )}
        {now?.step === "failed" && <Trouble error={now.error} retry={() => clear(now.wanted)} />}
        {!now && (
          <p class="muted">
            You see how many rows it is before anything is deleted. Requests in flight stay, and so do changes
            to models.
          </p>
        )}
      </div>
    </Panel>
  );
}

function read(form: HTMLFormElement): Wanted {
  const fields = new FormData(form);
  const before = String(fields.get("before"));
  const what = String(fields.get("what"));
  return {
    what: what === "metrics" || what === "all" ? what : "logs",
    before: before === "" ? null : new Date(before).toISOString(),
    model: String(fields.get("model")) || null,
  };
}

async function clear(wanted: Wanted): Promise<void> {
  state.value = { step: "counting" };
  try {
    const total = await count(wanted);
    state.value = null;
    const rows = total.logs + total.metrics;
    if (rows === 0) return tell("There is nothing of that to delete.");
    if (!(await confirmed({ title: "Delete for good?", text: question(wanted, total), action: "Delete" })))
      return;
    state.value = { step: "deleting", total: rows, left: rows };
    const deleted = await remove(wanted);
    state.value = null;
    cleared.value += 1;
    tell(`${say.plural(deleted, "row")} deleted.`);
  } catch (error) {
    state.value = { step: "failed", error: wordsOf(error), wanted };
  }
}

/** What it takes of each; of what is not wanted 0. */
async function count({ what, before, model }: Wanted): Promise<{ logs: number; metrics: number }> {
  const { logs, metrics } = await call("GET /api/data/clearable", { query: { before, model } });
  return { logs: what === "metrics" ? 0 : logs, metrics: what === "logs" ? 0 : metrics };
}

/** Deletes, and counts now and then what is left. @returns how many rows went */
async function remove(wanted: Wanted): Promise<number> {
  const { what, before, model } = wanted;
  let isOver = false;
  const follow = async () => {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    const left = isOver ? null : await count(wanted).catch(() => null);
    if (isOver) return;
    if (left && state.value?.step === "deleting") {
      const { total } = state.value;
      // What comes meanwhile is counted, too.
      state.value = { step: "deleting", total, left: Math.min(left.logs + left.metrics, total) };
    }
    void follow();
  };
  void follow();
  try {
    const query = { before, model };
    if (what === "all") {
      const { logs_deleted, metrics_deleted } = await call("DELETE /api/data/all", { query });
      return logs_deleted + metrics_deleted;
    }
    return (await call(`DELETE /api/data/${what}`, { query })).rows_deleted;
  } finally {
    isOver = true;
  }
}

function question(
  { what, before, model }: Wanted,
  { logs, metrics }: { logs: number; metrics: number },
): string {
  const rows = [
    ...(what === "metrics" ? [] : [`${say.plural(logs, "request")} with prompts and replies`]),
    ...(what === "logs" ? [] : [`${say.plural(metrics, "row")} of metrics`]),
  ].join(" and ");
  const narrowed = [
    ...(model === null ? [] : [`of ${model}`]),
    ...(before === null
      ? []
      : [`from before ${say.date.format(new Date(before))}, ${say.clock.format(new Date(before))}`]),
  ].join(" ");
  return `${rows}${narrowed && ` ${narrowed}`} are deleted, of every server on this database. It can’t be undone.`;
}

function wordsOf(error: unknown): Error {
  if (error instanceof ApiError && error.status === 409)
    return new Error(
      "A backup, or something else that reads for long, holds these rows. Try again when it is over.",
    );
  return error instanceof Error ? error : new Error(String(error));
}
