/** The time, for what counts down on the page. */
import { signal } from "@preact/signals";
import { today } from "./format";

/** Milliseconds since 1970; moves on each second while the page is seen. */
export const now = signal(Date.now());

setInterval(() => {
  if (document.hidden) return;
  now.value = Date.now();
  today.value = new Date().toDateString();
}, 1000);
