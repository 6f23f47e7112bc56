/** Now: what somebody who runs the server asks at nine in the morning, without scrolling. */
import { call } from "../../shared/api";
import { useLoaded } from "../../shared/loaded";
import { Figures } from "./figures";
import { InFlight } from "./in-flight";
import { LedgerState } from "./ledger";
import { ModelsLoaded } from "./models-loaded";
import { Ollama } from "./ollama";
import { People } from "./people";
import { Sentence } from "./sentence";

/** Of what no stream tells. */
const EVERY_MS = 10_000;

export function Now() {
  const health = useLoaded((signal) => call("GET /api/health", { signal }), [], EVERY_MS);
  const engine = useLoaded((signal) => call("GET /api/engine", { signal }), [], EVERY_MS);
  return (
    <>
      <Sentence health={health} engine={engine.value} />
      <Figures />
      <InFlight />
      <ModelsLoaded />
      <People />
      <Ollama engine={engine} />
      <LedgerState />
    </>
  );
}
