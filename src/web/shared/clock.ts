/** The time, for what counts down on the page. */
import { signal } from "@preact/signals";

/** Milliseconds since 1970; moves on each second while the page is seen. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);
