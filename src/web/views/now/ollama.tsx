/** The engine: its restarts since yesterday, its last words, and starting it anew. */
import { useState } from "preact/hooks";
import { call, type Engine } from "../../shared/api";
import { confirmed } from "../../shared/dialog";
import * as say from "../../shared/format";
import { active } from "../../shared/live";
import { type Loaded, useLoaded } from "../../shared/loaded";
import { Empty, Panel, Skeleton, Time, Trouble } from "../../shared/parts";
import { sayError, say as tell } from "../../shared/toasts";

const LINES = 40;
/** Each look at it is in the server's log. */
const LOG_EVERY_MS = 30_000;

export function Ollama({ engine: { value, reload } }: { readonly engine: Loaded<Engine> }) {
  const [isRestarting, setRestarting] = useState(false);
  const log = useLoaded(
    (signal) => call("GET /api/engine/log", { query: { lines: LINES }, signal }),
    [value?.pid],
    LOG_EVERY_MS,
  );
  const restarts = useLoaded(
    (signal) => call("GET /api/events", { query: { action: "restart", hours: 48, limit: 20 }, signal }),
    [value?.restarts],
  );
  const askedFor = restarts.value?.events.filter(({ timestamp }) => Date.parse(timestamp) >= yesterday());
  const [latest] = askedFor ?? [];

  const restart = async () => {
    const running = active.value.length;
    const yes = await confirmed({
      title: "Restart Ollama?",
      text: `${running === 0 ? "Nothing is in flight." : `${say.plural(running, "request")} in flight will end with an error.`} Loaded models have to be loaded again.`,
      action: "Restart Ollama",
    });
    if (!yes) return;
    setRestarting(true);
    try {
      const { state } = await call("POST /api/engine/restart");
      tell(state === "ready" ? "Ollama was restarted." : "Ollama is starting.");
    } catch (error) {
      sayError(error);
    }
    setRestarting(false);
    reload();
  };

  return (
    <Panel
      title="Ollama"
      note={value && (isRestarting ? "restarting" : value.state)}
      class="ollama"
      actions={
        value?.owned && (
          <button type="button" class="button small" onClick={restart} disabled={isRestarting}>
            {isRestarting ? "Restarting…" : "Restart"}
          </button>
        )
      }
    >
      {value && (
        <p class="panel-line">
          {value.restarts === 0
            ? "No restart since Corral’s start"
            : `${say.plural(value.restarts, "restart")} since Corral’s start`}
          {askedFor && askedFor.length > 0 && latest && (
            <>
              ; asked for since yesterday: {askedFor.length}, last at <Time at={latest.timestamp} /> by{" "}
              {latest.user ?? latest.client_ip ?? "somebody"}
            </>
          )}
        </p>
      )}
      {log.value ? (
        log.value.lines.length > 0 ? (
          <pre class="log">{log.value.lines.toReversed().join("\n")}</pre>
        ) : (
          <Empty>
            {value?.owned === false
              ? "Its log is with whoever started it."
              : "It has not printed anything yet."}
          </Empty>
        )
      ) : log.error ? (
        <Trouble error={log.error} retry={log.reload} />
      ) : (
        <Skeleton lines={4} />
      )}
    </Panel>
  );
}

/** Its beginning, local. */
function yesterday(): number {
  const day = new Date();
  day.setHours(0, 0, 0, 0);
  return day.setDate(day.getDate() - 1);
}
