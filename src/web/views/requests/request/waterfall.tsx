/** The parts of a request's time, one under the other, as they came. */
import type { Entry } from "../../../shared/api";
import * as say from "../../../shared/format";
import { spanNames, spansOf, spanWords, untoldOf, whyUntold } from "./spans";

/** Ollama looks up a model that is in memory in less. */
const LONG_LOAD_MS = 250;

export function Waterfall({ request }: { readonly request: Entry }) {
  const untold = untoldOf(request);
  const spans = new Map(spansOf(request).map((span) => [span.name, span]));
  const shown = spanNames.filter((name) => spans.has(name) || untold.includes(name));
  const part = (ms: number) => `${(100 * ms) / (request.latency_ms || 1)}%`;
  return (
    <>
      <ul class="waterfall">
        {shown.map((name) => {
          const span = spans.get(name);
          return (
            <li key={name}>
              <span>{spanWords[name]}</span>
              {span ? (
                <span class="track" aria-hidden="true">
                  <i
                    class={`span ${name}`}
                    style={{ left: part(span.from), width: part(span.to - span.from) }}
                  />
                </span>
              ) : (
                <span class="track none muted">not told</span>
              )}
              <span class="number">{span && say.exactMs(span.ms)}</span>
              <span class="muted source">{span?.source}</span>
            </li>
          );
        })}
        <li class="total">
          <span>Altogether</span>
          <span class="track none" aria-hidden="true" />
          <span class="number">{say.exactMs(request.latency_ms)}</span>
          <span class="muted source">measured</span>
        </li>
      </ul>
      {untold.length > 0 && <p class="muted">{whyUntold(request)}</p>}
      {request.cold === false && (request.load_ms ?? 0) >= LONG_LOAD_MS && (
        <p class="muted">
          The model was in memory when it came: what Ollama counts as loading may have been the wait for its
          turn.
        </p>
      )}
    </>
  );
}
