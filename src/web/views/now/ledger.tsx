/** The ledger: whether everything is on record. */
import { call, type Ledger } from "../../shared/api";
import * as say from "../../shared/format";
import { endedTick } from "../../shared/live";
import { useLoaded } from "../../shared/loaded";
import { Panel, Skeleton, Trouble } from "../../shared/parts";

export function LedgerState() {
  const ledger = useLoaded((signal) => call("GET /api/ledger", { signal }), [endedTick.value], 10_000);
  return (
    <Panel title="Records" note={ledger.value && stateOf(ledger.value)} class="ledger">
      {ledger.value ? (
        <>
          {ledger.value.message && <p class="panel-line warn-text">{ledger.value.message}</p>}
          <dl class="pairs">
            {pairs(ledger.value).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </>
      ) : ledger.error ? (
        <Trouble error={ledger.error} retry={ledger.reload} />
      ) : (
        <Skeleton lines={6} />
      )}
    </Panel>
  );
}

function shedOf({ shed }: Ledger): number {
  return shed.records.spool_full + shed.records.write_failed;
}

function stateOf(ledger: Ledger): string {
  if (ledger.message !== null) return "not everything is kept";
  return shedOf(ledger) > 0 ? `${say.count(shedOf(ledger))} lost` : "all kept";
}

function pairs(ledger: Ledger): [string, string][] {
  const lag = ledger.database_lag_seconds;
  return [
    ["Accepted", say.count(ledger.accepted)],
    ["Stored", say.count(ledger.stored)],
    ["In flight", say.count(ledger.in_flight)],
    ["Waiting for the database", say.count(ledger.spooled)],
    ["Database behind by", say.duration(lag === null ? null : lag * 1000)],
    ["Set aside", say.count(ledger.set_aside)],
    ["Given up", say.count(shedOf(ledger))],
  ];
}
