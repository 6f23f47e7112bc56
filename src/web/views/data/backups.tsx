/** Lines that keep the data elsewhere, to copy. */
import type { Settings } from "../../shared/api";
import { Command, Panel } from "../../shared/parts";

/** @param dataDir the setting; null before it is known */
export function Backups({ dataDir }: { readonly dataDir: Settings["settings"][number] | null }) {
  // The command finds the server, and its database, by the data folder.
  const folder =
    dataDir?.value && dataDir.source !== "default" ? `CORRAL_DATA_DIR=${quoted(dataDir.value)} ` : "";
  return (
    <Panel title="Backups" class="backups">
      <dl class="commands">
        <dt>Everything, as of one moment, while the server runs or not</dt>
        <dd>
          <Command text={`${folder}corral backup corral.backup`} />
        </dd>
        <dt>Back again, into an empty database, of either kind</dt>
        <dd>
          <Command text={`${folder}corral restore corral.backup`} />
        </dd>
        <dt>The requests with their texts, for a spreadsheet</dt>
        <dd>
          <Command text={`curl -OJ "${location.origin}/api/stats/logs/export?format=csv"`} />
        </dd>
      </dl>
    </Panel>
  );
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
