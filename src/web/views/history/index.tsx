/** History: figures over time. */
import { filters, setFilters } from "../../shared/address";
import { call } from "../../shared/api";
import { Chart } from "../../shared/chart";
import * as say from "../../shared/format";
import { useLoaded } from "../../shared/loaded";
import { Skeleton, Trouble } from "../../shared/parts";

const ranges = [
  [24, "24 hours"],
  [168, "7 days"],
  [720, "30 days"],
] as const;

export function History() {
  const hours = Number(filters.value.get("hours")) || 24;
  const history = useLoaded(
    (signal) => call("GET /api/stats/history", { query: { hours, fill: true }, signal }),
    [hours],
  );
  const points = history.value?.metrics ?? [];
  const times = points.map(({ timestamp }) => Date.parse(timestamp) / 1000);
  return (
    <>
      <h1>History</h1>
      <p class="choices">
        {ranges.map(([length, words]) => (
          <button
            key={length}
            type="button"
            class="button"
            aria-pressed={length === hours}
            onClick={() => setFilters({ hours: length })}
          >
            {words}
          </button>
        ))}
      </p>
      {history.error && <Trouble error={history.error} retry={history.reload} />}
      {!history.value && !history.error && <Skeleton lines={8} />}
      {history.value && (
        <Chart
          title="Requests per minute"
          format={say.number}
          times={times}
          lines={[{ name: "Requests/min", values: points.map((point) => point.requests_per_minute) }]}
        />
      )}
    </>
  );
}
