import { expect, test } from "bun:test";
import { ownMigrations } from "../../src/database/migrations";
import { keptTables } from "../../src/ledger/tables";

test("every table that the migrations make is in backups and moves", () => {
  const made = ownMigrations().flatMap(({ text }) =>
    [...text.matchAll(/^create table (?:if not exists )?(\w+)(?! partition of)\b/gim)].map(([, name]) =>
      name === "new_histograms" ? "histograms" : name,
    ),
  );
  const dropped = ownMigrations().flatMap(({ text }) =>
    [...text.matchAll(/^drop table (?:if exists )?(\w+)/gim)].map(([, name]) => name),
  );
  expect([...keptTables].toSorted()).toEqual(
    Array.from(keptTables)
      .filter((name) => made.includes(name))
      .toSorted(),
  );
  expect(made.filter((name) => !dropped.includes(name) && !keptTables.some((kept) => kept === name))).toEqual(
    [],
  );
});
