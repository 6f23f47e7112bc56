import { Elysia } from "elysia";
import type { Ledger } from "../../ledger/ledger";
import { about } from "../common";
import { ledgerModels } from "./model";
import { sayStanding } from "./service";

export function ledgerRoutes({ ledger }: { readonly ledger: Ledger }) {
  return new Elysia({ name: "ledger" })
    .model(ledgerModels)
    .get("/api/ledger", () => sayStanding(ledger.standing()), {
      response: { 200: "Ledger" },
      detail: about(
        "Statistics",
        "What became of every record",
        "Counts of this server's records since its first start, which always add up, and how far the database is behind. Until the database has been there once since the start, what earlier starts stored is not counted.",
      ),
    });
}
