/** How requests ended, in words. */
import type { Entry, WholeRequest } from "./api";

export const outcomeWords: Readonly<Record<WholeRequest["outcome"], string>> = {
  complete: "Complete",
  length: "Cut at its limit",
  client_abort: "Client left",
  canceled: "Canceled",
  engine_error: "Ollama’s error",
  engine_crash: "Ollama crashed",
  timeout: "Timed out",
  rejected: "Refused",
  server_stop: "Corral stopped",
  server_crash: "Corral crashed",
};

/** How one ended, in words and colour. */
export function Ended({ status, outcome }: Pick<Entry, "status" | "outcome">) {
  return <span class={`ended ${status}`}>{outcomeWords[outcome]}</span>;
}
