/** Now: what somebody who runs the server asks at nine in the morning, without scrolling. */
import { Figures } from "./figures";
import { InFlight } from "./in-flight";
import { LedgerState } from "./ledger";
import { ModelsLoaded } from "./models-loaded";
import { Ollama } from "./ollama";
import { People } from "./people";
import { Sentence } from "./sentence";

/** They ask in this order, and a browser asks for six things at once: what is of memory goes before the database's. */
export function Now() {
  return (
    <>
      <Sentence />
      <Figures />
      <InFlight />
      <ModelsLoaded />
      <People />
      <Ollama />
      <LedgerState />
    </>
  );
}
