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

const ENGINE_EVERY_MS = 10_000;

/** They ask in this order, and a browser asks for six things at once: what is of memory goes before the database's. */
export function Now() {
  const engine = useLoaded((signal) => call("GET /api/engine", { signal }), [], ENGINE_EVERY_MS);
  return (
    <>
      <Sentence engine={engine.value} />
      <Figures />
      <InFlight />
      <ModelsLoaded />
      <People />
      <Ollama engine={engine} />
      <LedgerState />
    </>
  );
}
