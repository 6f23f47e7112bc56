/** Requests that are running, and ending one. */
import { signal } from "@preact/signals";
import { type ActiveRequest, call } from "../../shared/api";
import { confirmed } from "../../shared/dialog";
import * as say from "../../shared/format";
import { active, connection } from "../../shared/live";
import { Empty, Panel, Skeleton } from "../../shared/parts";
import { type Column, Table } from "../../shared/table";
import { sayError, say as tell } from "../../shared/toasts";

const canceling = signal<ReadonlySet<string>>(new Set());

const phases: Readonly<Record<ActiveRequest["phase"], string>> = {
  waiting: "Waiting",
  loading: "Loading the model",
  prefill: "Reading the prompt",
  generating: "Writing",
};

const columns: readonly Column<ActiveRequest>[] = [
  { title: "Model", cell: ({ model }) => <span title={model ?? undefined}>{model ?? say.unknown}</span> },
  {
    title: "Phase",
    cell: ({ phase }) => <span class={`phase ${phase}`}>{phases[phase]}</span>,
  },
  { title: "Time", isNumber: true, cell: ({ seconds }) => say.duration(Math.floor(seconds) * 1000) },
  { title: "Tokens", isNumber: true, isMinor: true, cell: ({ tokens }) => say.count(tokens) },
  { title: "From", isMinor: true, isWide: true, cell: (request) => whoOf(request) },
  {
    title: "Cancel",
    isTitleHidden: true,
    isNumber: true,
    cell: (request) => (
      <button
        type="button"
        class="button small"
        disabled={canceling.value.has(request.id)}
        aria-label={`Cancel ${request.model ?? "the request"} of ${whoOf(request)}`}
        onClick={() => cancel(request)}
      >
        Cancel
      </button>
    ),
  },
];

export function InFlight() {
  const requests = active.value;
  return (
    <Panel
      title="In flight"
      note={requests.length > 0 ? say.count(requests.length) : undefined}
      class="in-flight"
    >
      {requests.length > 0 ? (
        <Table caption="Requests in flight" columns={columns} rows={requests} keyOf={({ id }) => id} />
      ) : connection.value === "connecting" ? (
        <Skeleton lines={4} />
      ) : connection.value === "open" ? (
        <Empty
          command={`curl -N ${location.origin}/api/chat -d '{"model": "llama3.2", "prompt": "Why is the sky blue?"}'`}
        >
          Nothing is running. To see something here:
        </Empty>
      ) : (
        <Empty>Not connected: what is running can’t be seen.</Empty>
      )}
    </Panel>
  );
}

function whoOf(request: ActiveRequest): string {
  return [request.user ?? request.client_ip, request.user_agent?.split(" ")[0]].filter(Boolean).join(", ");
}

async function cancel(request: ActiveRequest): Promise<void> {
  const yes = await confirmed({
    title: "Cancel this request?",
    text: `${request.model ?? "It"} stops, and ${whoOf(request) || "its client"} is told that somebody who runs the server ended it.`,
    action: "Cancel the request",
  });
  if (!yes) return;
  canceling.value = new Set([...canceling.value, request.id]);
  try {
    await call("DELETE /api/requests/active/:id", { params: { id: request.id } });
    tell("The request was canceled.");
  } catch (error) {
    sayError(error);
  }
  canceling.value = new Set([...canceling.value].filter((id) => id !== request.id));
}
