/** Waiting that ends when the client leaves. */

/** The client has left: whatever was being made for it is given up. */
export class Gone extends Error {}

/** Waits so many ms; without a number, until the client leaves. @throws Gone */
export function wait(signal: AbortSignal, ms?: number): Promise<void> {
  return until(
    ms === undefined ? new Promise<void>(() => {}) : ms <= 0 ? Promise.resolve() : Bun.sleep(ms),
    signal,
  );
}

/** Waits for something else, but no longer than the client does. @throws Gone */
export async function until<Value>(something: Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) throw new Gone();
  const left = Promise.withResolvers<never>();
  const leave = () => left.reject(new Gone());
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([something, left.promise]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
