/** Requests that are running, and ending one. */
import type { ActiveRequest } from "../../shared/api";
import * as say from "../../shared/format";
import { active, connection } from "../../shared/live";
import { Empty, firstRequest, Panel, Skeleton } from "../../shared/parts";
import { CancelButton, phaseWords, whoOf } from "../../shared/running";
import { type Column, Table } from "../../shared/table";

const columns: readonly Column<ActiveRequest>[] = [
  { title: "Model", cell: ({ model }) => <span title={model ?? undefined}>{model ?? say.unknown}</span> },
  {
    title: "Phase",
    cell: ({ phase }) => <span class={`phase ${phase}`}>{phaseWords[phase]}</span>,
  },
  { title: "Time", isNumber: true, cell: ({ seconds }) => say.duration(Math.floor(seconds) * 1000) },
  { title: "Tokens", isNumber: true, isMinor: true, cell: ({ tokens }) => say.count(tokens) },
  { title: "From", isMinor: true, isWide: true, cell: (request) => whoOf(request) },
  {
    title: "Cancel",
    isTitleHidden: true,
    isNumber: true,
    cell: (request) => <CancelButton request={request} />,
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
        <Empty command={firstRequest("-N ")}>Nothing is running. To see something here:</Empty>
      ) : (
        <Empty>Not connected: what is running can’t be seen.</Empty>
      )}
    </Panel>
  );
}
