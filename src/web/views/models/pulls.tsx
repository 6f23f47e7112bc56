/** Pulls: those that run, with how far they are, and those that are over. They are the server's, and outlive the page. */
import { signal } from "@preact/signals";
import { call, errorOf, type Pulls, request } from "../../shared/api";
import { during } from "../../shared/during";
import * as say from "../../shared/format";
import { useLoaded } from "../../shared/loaded";
import { Panel, Time } from "../../shared/parts";
import { type Column, Table } from "../../shared/table";
import { sayError, say as tell } from "../../shared/toasts";
import { installedTick } from "./models";

type Pull = Pulls["pulls"][number];

/** As they were last told; null before the first. */
const pulls = signal<readonly Pull[] | null>(null);
/** Models that were asked for a moment ago, and are not in the list yet. */
const asked = signal<readonly string[]>([]);
const canceling = signal<ReadonlySet<string>>(new Set());

const SHOWN = 20;

/** Follows them while the view is shown. */
export function usePulls() {
  const isRunning = asked.value.length > 0 || pulls.value?.some(({ status }) => status === "running");
  return useLoaded((signal) => list(signal), [], isRunning ? 1000 : 10_000);
}

async function list(signal?: AbortSignal): Promise<void> {
  const query = { limit: SHOWN };
  const told = await call("GET /api/ollama/pulls", signal ? { query, signal } : { query });
  const over = pulls.value && new Set(pulls.value.filter(isOver).map(({ id }) => id));
  pulls.value = told.pulls;
  // Before the first answer only what was asked for here can be news.
  const isNews = ({ id, model }: Pull) => (over ? !over.has(id) : asked.value.includes(model));
  for (const pull of told.pulls) if (isOver(pull) && isNews(pull)) announce(pull);
}

function isOver({ status }: Pull): boolean {
  return status !== "running";
}

function announce({ model, status, error }: Pull): void {
  if (status === "complete") {
    tell(`${model} is installed.`);
    installedTick.value += 1;
  } else if (status === "error") sayError(new Error(`${model} could not be pulled: ${error}`));
}

/** Begins a pull, or finds the one that runs. */
export async function pull(model: string): Promise<void> {
  asked.value = [...asked.value, model];
  try {
    const response = await request("POST /api/ollama/pull", { body: { model } });
    if (!response.ok) throw await errorOf(response);
    // It goes on without this reader; the list has more to say about it.
    await response.body?.cancel();
    await list();
  } catch (error) {
    sayError(error);
  }
  asked.value = asked.value.filter((name) => name !== model);
}

function cancel({ id, model }: Pull): Promise<void> {
  return during(canceling, id, async () => {
    await call("DELETE /api/ollama/pulls/:id", { params: { id } });
    tell(`The pull of ${model} was canceled. Pulled again it goes on from there, until Ollama is restarted.`);
    await list();
  });
}

export function Running() {
  const running = (pulls.value ?? []).filter((one) => !isOver(one));
  const waiting = asked.value.filter((name) => !running.some(({ model }) => model === name));
  if (running.length + waiting.length === 0) return null;
  return (
    <Panel title="Pulling" note={say.count(running.length + waiting.length)} class="pulling">
      <ul>
        {waiting.map((model) => (
          <li key={model}>
            <b>{model}</b>
            <progress aria-label={`Pull of ${model}`} />
            <span class="muted">Asking for it…</span>
          </li>
        ))}
        {running.map((one) => (
          <li key={one.model}>
            <b>{one.model}</b>
            <progress
              aria-label={`Pull of ${one.model}`}
              {...(one.total ? { max: one.total, value: one.completed ?? 0 } : {})}
            />
            <span class="muted">{progressOf(one)}</span>
            <button
              type="button"
              class="button small"
              disabled={canceling.value.has(one.id)}
              aria-label={`Cancel the pull of ${one.model}`}
              onClick={() => cancel(one)}
            >
              Cancel
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** "1.2 GB of 4.1 GB, 52 MB/s, 59 s left" */
function progressOf({ step, total, completed, rate_bytes_per_second: rate, seconds_left: left }: Pull) {
  if (step !== "downloading" || !total) return step ?? "beginning";
  return [
    `${say.bytes(completed)} of ${say.bytes(total)}`,
    rate !== null && `${say.bytes(rate)}/s`,
    left !== null && `${say.duration(left * 1000)} left`,
  ]
    .filter(Boolean)
    .join(", ");
}

const outcomes = { running: "running", complete: "installed", error: "failed", canceled: "canceled" };

const columns: readonly Column<Pull>[] = [
  { title: "Model", cell: ({ model }) => model },
  {
    title: "How it ended",
    isWide: true,
    cell: ({ status, error }) => (
      <span title={error ?? undefined} class={status === "error" ? "bad" : ""}>
        {outcomes[status]}
        {status === "error" && error ? `: ${error}` : ""}
      </span>
    ),
  },
  { title: "Size", isNumber: true, isMinor: true, cell: ({ completed }) => say.bytes(completed) },
  {
    title: "Took",
    isNumber: true,
    isMinor: true,
    cell: ({ started_at, ended_at }) =>
      say.duration(ended_at === null ? null : Date.parse(ended_at) - Date.parse(started_at)),
  },
  {
    title: "Ended",
    isNumber: true,
    isMinor: true,
    cell: ({ ended_at }) => ended_at && <Time at={ended_at} />,
  },
  {
    title: "Again",
    isTitleHidden: true,
    isNumber: true,
    cell: ({ model, status }) =>
      status !== "complete" && (
        <button
          type="button"
          class="button small"
          aria-label={`Pull ${model} again`}
          onClick={() => pull(model)}
        >
          Again
        </button>
      ),
  },
];

export function PastPulls() {
  const past = (pulls.value ?? []).filter(isOver);
  if (past.length === 0) return null;
  return (
    <Panel title="Past pulls" class="past-pulls">
      <Table caption="Past pulls, newest first" columns={columns} rows={past} keyOf={({ id }) => id} />
    </Panel>
  );
}
