/** What is kept of each kind: how much, since when, and until when. */
import type { DataSummary } from "../../shared/api";
import * as say from "../../shared/format";
import type { Loaded } from "../../shared/loaded";
import { Panel, Skeleton, Trouble } from "../../shared/parts";
import { type Column, Table } from "../../shared/table";

type Kind = keyof DataSummary["kept"];

/** More texts than these are estimated. */
const COUNTED = 10_000;

interface Row {
  readonly kind: Kind;
  readonly kept: DataSummary["kept"][Kind];
  /** As the setting has it, such as 30d; null where it is not known. */
  readonly keptFor: string | null;
}

/** What each is, how it goes, and the setting that says when. */
const kinds: Readonly<Record<Kind, readonly [title: string, note: string, setting: string]>> = {
  requests: ["Requests", "who, when, how long; a month goes at a time", "keepRequests"],
  texts: ["Texts", "prompts and replies; a day goes at a time", "keepContent"],
  metrics: ["Metrics", "for charts; by the minute for 14 days", "keepMetrics"],
  events: ["Events", "changes to models; as long as requests", "keepRequests"],
};

const columns: readonly Column<Row>[] = [
  {
    title: "What",
    isWide: true,
    cell: ({ kind }) => (
      <>
        {kinds[kind][0]} <span class="muted minor">{kinds[kind][1]}</span>
      </>
    ),
  },
  {
    title: "Rows",
    isNumber: true,
    cell: ({ kind, kept: { rows } }) => (
      <>
        {kind === "texts" && (rows ?? 0) > COUNTED && <span class="muted">about </span>}
        {say.count(rows)}
      </>
    ),
  },
  { title: "Size", isNumber: true, cell: ({ kept }) => say.bytes(kept.bytes) },
  { title: "Since", isNumber: true, isMinor: true, cell: ({ kept }) => <Day at={kept.since} /> },
  { title: "Kept for", isNumber: true, isMinor: true, cell: ({ keptFor }) => keptFor ?? say.unknown },
  {
    title: "The oldest goes",
    isNumber: true,
    cell: ({ kept }) => (kept.since !== null && kept.until === null ? "never" : <Day at={kept.until} />),
  },
];

interface KeptTableProps {
  readonly summary: Loaded<DataSummary>;
  /** Of a setting, in words. */
  readonly settingValue: (name: string) => string | null;
}

export function KeptTable({ summary: { value, error, reload }, settingValue }: KeptTableProps) {
  return (
    <Panel
      title="What is kept"
      class="kept"
      note={value && `${say.plural(value.total_requests, "request")} counted in all`}
    >
      {value ? (
        <Table
          caption="What is kept, by kind"
          columns={columns}
          rows={(["requests", "texts", "metrics", "events"] as const).map((kind) => ({
            kind,
            kept: value.kept[kind],
            keptFor: settingValue(kinds[kind][2]),
          }))}
          keyOf={({ kind }) => kind}
        />
      ) : error ? (
        <Trouble error={error} retry={reload} />
      ) : (
        <Skeleton lines={5} />
      )}
    </Panel>
  );
}

/** A day, UTC on hover: days of the records are of UTC. */
export function Day({ at }: { readonly at: string | null }) {
  if (at === null) return <>{say.unknown}</>;
  const date = new Date(at);
  return (
    <time dateTime={at} title={say.utc(date)}>
      {say.date.format(date)}
    </time>
  );
}
