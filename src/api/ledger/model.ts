import { type Static, Type } from "@sinclair/typebox";
import { nullable } from "../common";

const count = (description: string, example: number) => Type.Integer({ description, examples: [example] });
const byReason = (what: string) =>
  Type.Object(
    {
      spool_full: count("CORRAL_SPOOL_LIMIT was reached while the database was away", 0),
      write_failed: count("The spool could not be written, such as on a full disk", 0),
    },
    { description: what },
  );

export const ledgerModels = {
  Ledger: Type.Object(
    {
      accepted: count("Requests that began", 1042),
      in_flight: count("Of these: running now", 2),
      stored: count("In the database; neither forgetting nor deleting lowers it", 1030),
      spooled: count("In the data folder, on their way to the database", 7),
      set_aside: count("Refused by the database, and kept in a file of the data folder", 1),
      shed: Type.Object(
        {
          records: byReason("Given up"),
          texts: byReason("Of records that are kept without theirs; no part of the sum"),
        },
        { description: "What could not be kept, by reason" },
      ),
      oldest_spooled_seconds: nullable(Type.Number(), {
        description: "How long the oldest spooled record has waited; null where none does",
        examples: [0.12],
      }),
      database_lag_seconds: nullable(Type.Number(), {
        description: "How long the record that was stored last had waited; null before there was one",
        examples: [0.06],
      }),
      spool_bytes: count("Size of the spool", 1_204_311),
      torn_lines: count("Lines that were half written when Corral was last ended by force", 0),
      set_aside_segments: count(
        "Files of the spool that another version wrote, and that are kept as they are",
        0,
      ),
      message: nullable(Type.String(), {
        description:
          "Why not everything is kept or stored at the moment; null while it is, or the database is away",
        examples: [null],
      }),
    },
    {
      description:
        "Records of this server since its first start: accepted = in_flight + stored + spooled + set_aside + the records that were shed",
    },
  ),
};
export type LedgerView = Static<(typeof ledgerModels)["Ledger"]>;
