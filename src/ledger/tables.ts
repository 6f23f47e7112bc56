/** Everything that is kept, for who copies it whole: backups, and the move to another database. */

/** Every table; migrations tell their own. */
export const keptTables = [
  "requests",
  "contents",
  "metrics",
  "histograms",
  "events",
  "repository",
  "spools",
] as const;

/** A server that runs has its own row there, which says how far its spool is stored: a restored one does not replace it. */
export const liveTables = ["spools"] as const;
