/** What became of every record, in words. */
import type { Ledger } from "../../shared/api";
import * as say from "../../shared/format";
import type { Loaded } from "../../shared/loaded";
import { Panel, Skeleton, Trouble } from "../../shared/parts";

export function Records({ ledger: { value, error, reload } }: { readonly ledger: Loaded<Ledger> }) {
  return (
    <Panel title="Records of this server" class="records" note={value && noteOf(value)}>
      {value ? (
        <>
          {value.message && <p class="panel-line warn-text">{value.message}</p>}
          <ul class="sentences">
            {sentences(value).map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </>
      ) : error ? (
        <Trouble error={error} retry={reload} />
      ) : (
        <Skeleton lines={4} />
      )}
    </Panel>
  );
}

const sum = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((all, count) => all + count, 0);

function noteOf({ message, spooled, shed }: Ledger): string {
  if (message !== null) return "not everything is kept";
  if (sum(shed.records) > 0) return "some were given up";
  return spooled > 0 ? "on their way to the database" : "all stored";
}

function sentences(ledger: Ledger): string[] {
  const { accepted, stored, in_flight, spooled, spool_bytes, set_aside, shed } = ledger;
  const waited = ledger.oldest_spooled_seconds;
  const { spool_full, write_failed } = shed.records;
  const given = sum(shed.records);
  const texts = sum(shed.texts);
  return [
    `${say.plural(accepted, "request")} came since its first start: ${say.count(stored)} are in the database, ${say.count(in_flight)} in flight.`,
    spooled === 0
      ? "None waits for the database."
      : `${say.count(spooled)} wait in the data folder for the database (${say.bytes(spool_bytes)})${waited === null ? "" : `, the oldest for ${say.duration(waited * 1000)}`}.`,
    given === 0
      ? "None was given up."
      : `${say.count(given)} were given up: ${say.count(spool_full)} when CORRAL_SPOOL_LIMIT was reached, ${say.count(write_failed)} since the spool could not be written.`,
    ...(texts > 0 ? [`${say.count(texts)} are kept without their texts, for the same reasons.`] : []),
    ...(set_aside > 0
      ? [
          `${say.count(set_aside)} were refused by the database, and are in the folder “spool” of the data folder.`,
        ]
      : []),
    ...(ledger.set_aside_segments > 0
      ? [
          `${say.plural(ledger.set_aside_segments, "file")} of the spool of another version are kept as they are.`,
        ]
      : []),
    ...(ledger.torn_lines > 0
      ? [`${say.plural(ledger.torn_lines, "line")} were half written when Corral was ended by force.`]
      : []),
  ];
}
