/** What a row can say of a request, and the choice among it. */
import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Dialog } from "../../shared/dialog";
import * as say from "../../shared/format";
import { Ended } from "../../shared/outcomes";
import { stored } from "../../shared/stored";
import type { Query, Row } from "./query";

export interface RequestColumn {
  readonly name: string;
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** The field that the API sorts it by. */
  readonly sort?: NonNullable<Query["sort"]>;
  readonly isNumber?: boolean;
  /** Left out where there is little room. */
  readonly isMinor?: boolean;
  /** In px; without one it shares what room is left. */
  readonly width?: number;
  readonly shown: Signal<"shown" | "hidden">;
}

type Described = Omit<RequestColumn, "shown">;
const column = (described: Described): RequestColumn => ({
  ...described,
  shown: stored(`corral-column-${described.name}`, ["shown", "hidden"]),
});
/** Not among the columns unless it is chosen. */
const further = (described: Described): RequestColumn => ({
  ...described,
  isMinor: true,
  shown: stored(`corral-column-${described.name}`, ["hidden", "shown"]),
});
const number = (name: "load_ms" | "prefill_ms" | "decode_ms" | "client_wait_ms", title: string) =>
  further({ name, title, isNumber: true, width: 104, cell: (row) => say.duration(row[name]) });

/** The time, which comes first, is a link: see `RequestRows`. */
export const columns: readonly RequestColumn[] = [
  column({
    name: "model",
    title: "Model",
    width: 152,
    cell: ({ model, prompt }) => (
      <>
        {model ?? say.unknown}
        <span class="under" dir="auto">
          {prompt}
        </span>
      </>
    ),
  }),
  column({ name: "operation", title: "Kind", width: 96, isMinor: true, cell: ({ operation }) => operation }),
  column({
    name: "who",
    title: "Who",
    width: 152,
    isMinor: true,
    cell: ({ user, client_ip }) => user ?? client_ip ?? say.unknown,
  }),
  further({
    name: "user_agent",
    title: "Client",
    width: 152,
    cell: ({ user_agent }) => user_agent?.split(" ")[0] ?? say.unknown,
  }),
  column({ name: "prompt", title: "Prompt", cell: ({ prompt }) => prompt }),
  further({ name: "response", title: "Reply", cell: ({ response }) => response }),
  further({ name: "dialect", title: "Dialect", width: 144, cell: ({ dialect }) => dialect }),
  number("load_ms", "Load"),
  number("prefill_ms", "Reading"),
  number("decode_ms", "Writing"),
  number("client_wait_ms", "Client’s wait"),
  column({
    name: "ttft",
    title: "First token",
    sort: "ttft_ms",
    width: 96,
    isNumber: true,
    isMinor: true,
    cell: ({ ttft_ms }) => say.duration(ttft_ms),
  }),
  column({
    name: "total",
    title: "Total",
    sort: "latency_ms",
    width: 88,
    isNumber: true,
    cell: (row) => (
      <>
        {say.duration(row.latency_ms)}
        <span class="under">
          <Ended {...row} />
        </span>
      </>
    ),
  }),
  column({
    name: "tokens",
    title: "Tokens in, out",
    sort: "tokens_used",
    width: 124,
    isNumber: true,
    isMinor: true,
    cell: ({ tokens_in, tokens_out }) => (
      <>
        <span class="muted">{say.count(tokens_in)}</span> <span class="out">{say.count(tokens_out)}</span>
      </>
    ),
  }),
  column({
    name: "speed",
    title: "Tokens/s",
    width: 84,
    isNumber: true,
    isMinor: true,
    cell: ({ tokens_per_second }) => say.number(tokens_per_second),
  }),
  further({
    name: "in_flight",
    title: "Others then",
    width: 96,
    isNumber: true,
    cell: ({ in_flight }) => say.count(in_flight),
  }),
  further({
    name: "finish_reason",
    title: "Finish reason",
    width: 112,
    cell: ({ finish_reason }) => finish_reason ?? say.unknown,
  }),
  further({
    name: "http_status",
    title: "HTTP",
    width: 64,
    isNumber: true,
    cell: ({ http_status }) => http_status ?? say.unknown,
  }),
  further({ name: "error", title: "Error", cell: ({ error }) => error }),
  column({
    name: "outcome",
    title: "Outcome",
    width: 144,
    cell: Ended,
  }),
];

export function ColumnsDialog({ close }: { readonly close: () => void }) {
  return (
    <Dialog title="Columns" onClose={close}>
      <div class="column-choices">
        {columns.map(({ name, title, shown }) => (
          <label key={name} class="check">
            <input
              type="checkbox"
              checked={shown.value === "shown"}
              onChange={(event) => {
                shown.value = event.currentTarget.checked ? "shown" : "hidden";
              }}
            />
            {title}
          </label>
        ))}
      </div>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
