/** Data: what is kept, in how much room, until when; clearing it; and the settings in force. */
import { call } from "../../shared/api";
import { endedTick } from "../../shared/live";
import { useLoaded } from "../../shared/loaded";
import { Backups } from "./backups";
import { Clear } from "./clear";
import { KeptTable } from "./kept";
import { Records } from "./records";
import { Room } from "./room";
import { SettingsInForce } from "./settings";

/** Of millions of requests counting takes a second. */
const SUMMARY_EVERY_MS = 300_000;
const LEDGER_EVERY_MS = 10_000;

export function Data() {
  const summary = useLoaded((signal) => call("GET /api/data/summary", { signal }), [], SUMMARY_EVERY_MS);
  const ledger = useLoaded(
    (signal) => call("GET /api/ledger", { signal }),
    [endedTick.value],
    LEDGER_EVERY_MS,
  );
  const settings = useLoaded((signal) => call("GET /api/settings", { signal }), []);
  const settingOf = (name: string) => settings.value?.settings.find((one) => one.name === name) ?? null;
  return (
    <>
      <h1>Data</h1>
      <KeptTable summary={summary} settingValue={(name) => settingOf(name)?.value ?? null} />
      <Room summary={summary} />
      <Clear onCleared={summary.reload} />
      <Records ledger={ledger} />
      <Backups dataDir={settingOf("dataDir")} />
      <SettingsInForce settings={settings} />
    </>
  );
}
