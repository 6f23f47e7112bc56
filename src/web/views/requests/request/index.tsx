/** One request: what was said, where its time went, and everything else that is known of it. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { requestUuid } from "../../../../ids";
import { filters, goTo, hrefOf } from "../../../shared/address";
import { type ActiveRequest, ApiError, call, type WholeRequest } from "../../../shared/api";
import { useKeys } from "../../../shared/keys";
import { active, onEnded } from "../../../shared/live";
import { useLoaded } from "../../../shared/loaded";
import { Skeleton, Trouble } from "../../../shared/parts";
import { Running } from "./running";
import { Whole } from "./whole";

interface RequestProps {
  readonly id: string;
  readonly close: () => void;
  /** Ids of its neighbours in the table. */
  readonly previous: string | null;
  readonly next: string | null;
}

export function Request({ id, close, previous, next }: RequestProps) {
  const keys = useMemo(
    () => ({
      ...(previous ? { "[": ["Previous request", () => open(previous)] as const } : {}),
      ...(next ? { "]": ["Next request", () => open(next)] as const } : {}),
    }),
    [previous, next],
  );
  useKeys(keys);
  return (
    <article class="request" aria-label="Request">
      <nav class="request-nav" aria-label="Requests beside it">
        <Step to={previous} words="Previous" sign="[" />
        <Step to={next} words="Next" sign="]" />
        <button type="button" class="button plain" onClick={close} title="Close (Escape)">
          Close
        </button>
      </nav>
      <Shown key={id} id={id} />
    </article>
  );
}

function Step({
  to,
  words,
  sign,
}: {
  readonly to: string | null;
  readonly words: string;
  readonly sign: string;
}) {
  return (
    <button
      type="button"
      class="button plain"
      disabled={to === null}
      title={`${words} (${sign})`}
      onClick={() => to && open(to)}
    >
      {words}
    </button>
  );
}

/** Another request under the same filters. */
function open(id: string): void {
  goTo(hrefOf("requests", Object.fromEntries(filters.value), [id]));
}

function Shown({ id }: { readonly id: string }) {
  const [endings, setEndings] = useState(0);
  useEffect(() => onEnded((ended) => ended.id === id && setEndings((seen) => seen + 1)), [id]);
  const hasEnded = endings > 0;
  const loaded = useLoaded((signal) => load(id, hasEnded, signal), [id, endings]);
  const running = active.value.find((request) => request.id === id) ?? loaded.value?.running;
  if (loaded.value?.whole) return <Whole request={loaded.value.whole} />;
  if (running && !loaded.error) return <Running request={running} hasEnded={hasEnded} />;
  if (loaded.error) return <Trouble error={loaded.error} retry={loaded.reload} />;
  return <Skeleton lines={12} />;
}

/** A record reaches the database a moment after its request has ended. */
const TRIES = 8;
const AGAIN_MS = 250;

/** @throws ApiError 404 where it neither runs nor is on record */
async function load(id: string, hasEnded: boolean, signal: AbortSignal) {
  const isIt = (request: ActiveRequest) => request.id === id;
  // What no request can be called is not waited for.
  for (let left = requestUuid(id) === null ? 1 : TRIES; ; left--) {
    const running = hasEnded ? undefined : active.peek().find(isIt);
    if (running) return { running };
    const whole = await call("GET /api/requests/:id", { params: { id }, signal }).catch(unlessMissing(left));
    if (whole) return { whole };
    const { requests } = await call("GET /api/requests/active", { signal });
    const found = requests.find(isIt);
    if (found) return { running: found };
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** Takes "no such request" for null, while it may still come. */
function unlessMissing(left: number) {
  return (error: unknown): WholeRequest | null => {
    if (error instanceof ApiError && error.status === 404 && left > 1) return null;
    throw error;
  };
}
