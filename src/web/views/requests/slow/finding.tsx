/** Why the chosen request took so long: in sentences, and beside what is usual. */

import { setFilters } from "../../../shared/address";
import type { Entry } from "../../../shared/api";
import * as say from "../../../shared/format";
import { Panel, Time } from "../../../shared/parts";
import { type Column, Table } from "../../../shared/table";
import { waitedMs } from "../request/spans";
import { hrefOfTable, timeAround } from "./address";
import { type Usual, usualKey } from "./entries";
import { comparedOf, findingsOf } from "./findings";
import type { Found } from "./load";

interface FindingProps {
  readonly entry: Entry;
  readonly found: Found;
  /** All that ran on its engine, itself too. */
  readonly others: readonly Entry[];
}

export function Finding({ entry, found, others }: FindingProps) {
  const usual = found.usual.get(usualKey(entry)) ?? null;
  return (
    <Panel
      title={`Why ${entry.model ?? "it"} took ${say.duration(entry.latency_ms)}`}
      note={<Time at={entry.timestamp} exact />}
      actions={
        <>
          <button type="button" class="button small" onClick={() => setFilters(timeAround(entry))}>
            Zoom to it
          </button>
          <a class="button small" href={hrefOfTable(entry.id)}>
            Open the request
          </a>
        </>
      }
      class="finding"
    >
      <div class="finding-parts">
        <ul>
          {findingsOf(entry, others, usual).map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
          <li class="muted">{comparedOf(entry, usual)}</li>
        </ul>
        <Table
          caption="Its figures beside the usual ones"
          columns={columns}
          rows={rowsOf(entry, usual)}
          keyOf={({ name }) => name}
        />
      </div>
    </Panel>
  );
}

interface Compared {
  readonly name: string;
  readonly own: string;
  readonly p50: string;
  readonly p95: string;
}

const columns: readonly Column<Compared>[] = [
  { title: "Figure", isTitleHidden: true, cell: ({ name }) => name },
  { title: "This one", isNumber: true, cell: ({ own }) => own },
  { title: "Usual (p50)", isNumber: true, cell: ({ p50 }) => p50 },
  { title: "p95", isNumber: true, isMinor: true, cell: ({ p95 }) => p95 },
];

function rowsOf(entry: Entry, usual: Usual | null): Compared[] {
  const row = (
    name: string,
    own: number | null,
    figure: keyof Usual["percentiles"],
    words: (value: number | null | undefined) => string = say.duration,
  ): Compared => {
    const typical = usual?.percentiles[figure];
    return { name, own: words(own), p50: words(typical?.p50), p95: words(typical?.p95) };
  };
  const rows = [
    row("Waiting", waitedMs(entry), "queued_ms"),
    row("Loading, where it must", entry.load_ms, "load_ms"),
    row("To the first piece", entry.ttft_ms, "ttft_ms"),
    row("Altogether", entry.latency_ms, "latency_ms"),
    row("Tokens/s", entry.tokens_per_second, "tokens_per_second", say.number),
  ];
  // What neither has tells nobody anything.
  return rows.filter(({ own, p50 }) => own !== say.unknown || p50 !== say.unknown);
}
