/** How requests ended, in words. */
import type { WholeRequest } from "../../../shared/api";

export const outcomeWords: Readonly<Record<WholeRequest["outcome"], string>> = {
  complete: "Complete",
  length: "Cut at the limit of tokens",
  client_abort: "Its client left",
  canceled: "Canceled",
  engine_error: "Ollama answered with an error",
  engine_crash: "Ollama crashed",
  timeout: "Timed out",
  rejected: "Refused",
  server_stop: "Corral was stopped",
  server_crash: "Corral was killed",
};
