/** What is under way, so that its buttons can say so. */
import type { Signal } from "@preact/signals";
import { sayError } from "./toasts";

/** Does something that a set names meanwhile. What goes wrong is said. */
export async function during(
  underWay: Signal<ReadonlySet<string>>,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  underWay.value = new Set([...underWay.value, name]);
  try {
    await work();
  } catch (error) {
    sayError(error);
  }
  underWay.value = new Set([...underWay.value].filter((one) => one !== name));
}
