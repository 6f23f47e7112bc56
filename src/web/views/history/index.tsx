/** History: figures over time. */
import { filters, setFilters } from "../../shared/address";
import * as say from "../../shared/format";
import { endedTick } from "../../shared/live";
import { useLoaded } from "../../shared/loaded";
import { Empty, firstRequest, Skeleton, Trouble } from "../../shared/parts";
import { Charts, MOST_LINES } from "./charts";
import { Controls } from "./controls";
import { type Figures, loadFigures, percentileNames, percentilesOf, readAsked, sayStep } from "./figures";
import { Numbers } from "./numbers";
import { sayRange } from "./range";

const MINUTE_MS = 60_000;
/** Of longer ranges a request more or less is not seen: they are asked for again each minute. */
const FOLLOWED_HOURS = 24;

export function History() {
  const asked = readAsked(filters.value);
  const key = JSON.stringify(asked);
  const isLive = asked.to === null;
  const isFollowed = isLive && asked.hours !== null && asked.hours <= FOLLOWED_HOURS;
  const { value, error, reload } = useLoaded(
    (signal) => loadFigures(asked, signal),
    [key, isFollowed ? endedTick.value : 0],
    isLive ? MINUTE_MS : 0,
  );
  const percentile = percentileNames.find((name) => name === filters.value.get("percentile")) ?? "p95";
  return (
    <>
      <h1>History</h1>
      <Controls figures={value} />
      {error ? <Trouble error={error} retry={reload} /> : !value && <Skeleton lines={12} />}
      {value && (!error || value.key === key) && (
        <div class={value.key === key ? "figures-shown" : "figures-shown old"} aria-busy={value.key !== key}>
          {value.summary.total.requests === 0 ? (
            <Nothing figures={value} />
          ) : (
            <>
              <p class="muted about">{sayAbout(value)}</p>
              <div class="charts">
                <Charts figures={value} percentile={percentile} />
              </div>
              <Numbers figures={value} />
            </>
          )}
        </div>
      )}
    </>
  );
}

function sayAbout(figures: Figures): string {
  const { summary, all, asked } = figures;
  const whose = percentilesOf(figures);
  const lines =
    summary.groups.length > MOST_LINES
      ? ` Lines are of the ${MOST_LINES} most used of ${summary.groups.length}.`
      : "";
  return [
    `${say.plural(summary.total.requests, "request")} in steps of ${sayStep(all)}.`,
    whose === null
      ? "Each kind of work has percentiles of its own."
      : `Percentiles are of ${whose} alone${asked.operation === null ? ": choose another kind of work for its own" : ""}.`,
    `Drag in a chart to choose a range, click for the requests of a point.${lines}`,
  ].join(" ");
}

function Nothing({ figures: { asked, summary } }: { readonly figures: Figures }) {
  const narrowed = [asked.model, asked.operation, asked.server].filter((one) => one !== null);
  const range = sayRange(asked, summary);
  return (
    <div class="panel nothing">
      {narrowed.length > 0 ? (
        <Empty>
          No requests of {narrowed.join(", ")} in this range ({range}).{" "}
          <button
            type="button"
            class="button small"
            onClick={() => setFilters({ model: null, operation: null, server: null })}
          >
            Clear the filters
          </button>
        </Empty>
      ) : (
        <Empty command={firstRequest()}>
          No requests in this range ({range}). A wider one (w) may have some, and this makes one:
        </Empty>
      )}
    </div>
  );
}
