/** The room that the records take, what is left of it, and for how long. */
import type { ComponentChildren } from "preact";
import type { DataSummary } from "../../shared/api";
import * as say from "../../shared/format";
import type { Loaded } from "../../shared/loaded";
import { Panel, Skeleton, Trouble } from "../../shared/parts";
import { Day } from "./kept";

/** Nobody knows what is then. */
const FAR_MS = 10 * 365 * 86_400_000;

type Disk = DataSummary["disk"];

export function Room({ summary: { value, error, reload } }: { readonly summary: Loaded<DataSummary> }) {
  return (
    <Panel title="Room" class="room" note={value && `${say.bytes(value.disk.used_bytes)} used`}>
      {value ? (
        <>
          <Share disk={value.disk} />
          <dl class="pairs">
            {pairs(value.disk).map(([name, words]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{words}</dd>
              </div>
            ))}
          </dl>
        </>
      ) : error ? (
        <Trouble error={error} retry={reload} />
      ) : (
        <Skeleton lines={6} />
      )}
    </Panel>
  );
}

/** What is used of the budget, or of the disk where there is none. */
function Share({ disk }: { readonly disk: Disk }) {
  const whole = disk.budget_bytes ?? (disk.free_bytes === null ? null : disk.used_bytes + disk.free_bytes);
  if (whole === null) return null;
  const share = disk.used_bytes / whole;
  const of = disk.budget_bytes === null ? "what there is room for" : "the budget";
  return (
    <p class="share">
      <progress
        value={Math.min(share, 1)}
        aria-label={`Used of ${of}`}
        class={share > 0.9 ? "nearly-full" : ""}
      />
      <span>
        {say.percent(share)} of {of}
      </span>
    </p>
  );
}

function pairs(disk: Disk): [string, ComponentChildren][] {
  const { budget_bytes: budget, free_bytes: free, bytes_a_day: pace } = disk;
  return [
    ["Database", say.bytes(disk.database_bytes)],
    ["Spool, on its way there", say.bytes(disk.spool_bytes)],
    ["Ollama’s log", say.bytes(disk.engine_log_bytes)],
    ["Budget", budget === null ? "none (CORRAL_DISK_BUDGET)" : say.bytes(budget)],
    ["Left on the disk", free === null ? "not known of another server" : say.bytes(free)],
    ["Grows by", pace === null ? "known after a whole day" : `${say.bytes(pace)} a day, lately`],
    [
      budget === null ? "Disk full" : "Budget used up",
      disk.full_at !== null && Date.parse(disk.full_at) > Date.now() + FAR_MS ? (
        "not in the next ten years (projected)"
      ) : disk.full_at === null ? (
        budget !== null && disk.used_bytes >= budget ? (
          "now: the oldest texts go"
        ) : (
          "nothing tells yet"
        )
      ) : (
        <>
          about <Day at={disk.full_at} /> (projected)
        </>
      ),
    ],
  ];
}
