/** What a view has asked the API for. */
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "./api";
import { reconnects } from "./live";

export interface Loaded<T> {
  /** The last that was answered: it stays while it is asked for again, so that nothing jumps. Null before the first. */
  readonly value: T | null;
  /** Why the last try failed; null when it did not. */
  readonly error: Error | null;
  readonly reload: () => void;
}

/**
 * Asks when the view is shown, whenever one of `keys` changes, and when the server is back; an older question is then
 * broken off.
 * @param everyMs asks again that often while the page is seen; 0 for never
 */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
  everyMs = 0,
): Loaded<T> {
  const [state, setState] = useState<{ value: T | null; error: Error | null }>({ value: null, error: null });
  const asking = useRef<AbortController | null>(null);
  const ask = () => {
    asking.current?.abort();
    const asked = new AbortController();
    asking.current = asked;
    const { signal } = asked;
    load(signal).then(
      (value) => !signal.aborted && setState({ value, error: null }),
      (error: unknown) => {
        if (signal.aborted) return;
        setState(({ value }) => ({
          value,
          error: error instanceof Error ? error : new Error(String(error)),
        }));
      },
    );
  };
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    latest.current();
    const timer = everyMs > 0 ? setInterval(() => document.hidden || latest.current(), everyMs) : undefined;
    return () => {
      clearInterval(timer);
      asking.current?.abort();
    };
  }, [...keys, everyMs, reconnects.value]);
  return { ...state, reload: () => latest.current() };
}

const MOST_MODELS = 1000;

/** Names of the models that there are figures of, for choosing one; none before they are answered. */
export function useModelNames(): readonly string[] {
  const query = { limit: MOST_MODELS };
  const models = useLoaded((signal) => call("GET /api/models", { query, signal }), []);
  return models.value?.models.map(({ name }) => name) ?? [];
}
