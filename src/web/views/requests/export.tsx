/** What is found, as a file. */
import { Dialog } from "../../shared/dialog";
import { filtersOf, type Query } from "./query";

export function ExportDialog({ query, close }: { readonly query: Query; readonly close: () => void }) {
  const filters = filtersOf(query).map((name) => [name, query[name] ?? ""]);
  const href = (format: string) =>
    `/api/stats/logs/export?${new URLSearchParams([["format", format], ...filters])}`;
  return (
    <Dialog title="Export" onClose={close}>
      <p>
        {filters.length > 0 ? "Every request that the filters let through" : "Every request on record"},
        however many they are, newest first. With texts, as far as they are kept.
      </p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={close}>
          Close
        </button>
        <a class="button" href={href("csv")} download onClick={close}>
          CSV, for a spreadsheet
        </a>
        <a class="button primary" href={href("ndjson")} download onClick={close}>
          NDJSON, all of each
        </a>
      </div>
    </Dialog>
  );
}
