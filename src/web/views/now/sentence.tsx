/** How things are and since when, in one sentence. */
import { call, type Engine } from "../../shared/api";
import * as say from "../../shared/format";
import { connection, lostSince } from "../../shared/live";
import { useLoaded } from "../../shared/loaded";
import { Time } from "../../shared/parts";
import { errorsOfHour } from "./figures";

/** How often what no stream tells is asked for. */
const EVERY_MS = 10_000;

export function Sentence({ engine }: { readonly engine: Engine | null }) {
  const health = useLoaded(
    (signal) => call("GET /api/health", { signal }),
    [connection.value === "lost"],
    EVERY_MS,
  );
  const statistics = useLoaded(
    (signal) => call("GET /api/stats/current", { signal }),
    [engine?.pid, engine?.restarts],
  );
  const { value } = health;
  // Nobody answers: the last that was heard says nothing any more.
  const isLost = health.error !== null && connection.value !== "open";
  const failed = errorsOfHour.value ?? 0;
  const mood =
    isLost || value?.status === "unhealthy"
      ? "bad"
      : value?.status === "degraded" || failed > 0
        ? "warn"
        : "good";
  const upSince =
    statistics.value && Date.parse(statistics.value.timestamp) - statistics.value.uptime_seconds * 1000;
  return (
    <div class={`sentence ${value || isLost ? mood : ""}`} role="status">
      <h1>
        <i class="dot" aria-hidden="true" />
        {isLost ? (
          <span>
            Corral does not answer
            {lostSince.value && (
              <>
                {" "}
                since <Time at={lostSince.value} exact />
              </>
            )}
            . It is tried again by itself.
          </span>
        ) : !value ? (
          <span class="muted">Looking…</span>
        ) : value.status === "healthy" ? (
          <span>
            {failed > 0 ? "Up" : "All is well"}
            {upSince !== null && (
              <>
                {" "}
                since <Time at={new Date(upSince)} />
              </>
            )}
            {failed > 0 && `, and ${say.plural(failed, "request")} failed in the last hour`}
          </span>
        ) : (
          <span>{value.message}</span>
        )}
      </h1>
      {engine && (
        <p class="muted">
          Ollama {engine.version} at {engine.address.replace("http://", "")}
          {engine.owned ? "" : ", started by somebody else"}
        </p>
      )}
    </div>
  );
}
