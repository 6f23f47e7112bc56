import type { Standing } from "../../ledger/ledger";
import type { LedgerView } from "./model";

/** How the ledger stands, in the API's words. */
export function sayStanding(standing: Standing): LedgerView {
  const { accepted, inFlight, stored, spooled, setAside, shed } = standing;
  return {
    accepted,
    in_flight: inFlight,
    stored,
    spooled,
    set_aside: setAside,
    shed: {
      records: { spool_full: shed.fullRecords, write_failed: shed.failedRecords },
      texts: { spool_full: shed.fullTexts, write_failed: shed.failedTexts },
    },
    oldest_spooled_seconds: secondsOf(standing.oldestSpooledMs),
    database_lag_seconds: secondsOf(standing.databaseLagMs),
    spool_bytes: standing.spoolBytes,
    torn_lines: standing.tornLines,
    set_aside_segments: standing.setAsideSegments,
    message: standing.why,
  };
}

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
