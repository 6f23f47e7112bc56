/** A small database of its own, with every kind of value that a table may hold. */
import type { Database, Migration } from "../../../src/database/database";
import { writeBackup } from "../../../src/database/transfer/backup";
import { restoreBackup } from "../../../src/database/transfer/restore";

export const names = ["plants", "pots"] as const;

export const migrations: Migration[] = [
  {
    number: 1,
    name: "plants",
    text: `
      create table plants (id uuid not null, at timestamptz not null, name text, height double precision,
        leaves bigint, tags text[], alive boolean, primary key (id, at)) partition by range (at);
      create table plants_2026_11 partition of plants for values from ('2026-11-01Z') to ('2026-12-01Z');
      create table plants_2026_12 partition of plants for values from ('2026-12-01Z') to ('2027-01-01Z');
      create table pots (name text primary key, size int not null default 1)`,
  },
];

const odd = '"ünï" 🐎\n\\ \u0001';

/** More rows than one slice has, of odd values. */
export async function fill(database: Database): Promise<void> {
  await database.transaction(async (sql) => {
    await sql`
      insert into plants
      select gen_random_uuid(), '2026-11-30 23:00:00.123456Z'::timestamptz + i * interval '1 second',
        case when i = 700 then repeat('long ', 100000) else (array[null, '', ${odd}])[1 + i % 3] end,
        case i % 3 when 0 then 0.1 + i when 1 then 1e300 else 1.0 / i end,
        9007199254740993 + i, array['a,b', null, '"'], i % 2 = 0
      from generate_series(1, 1200) i`;
    await sql`insert into pots values ('clay', 3)`;
  }, 30_000);
}

/** A backup of it, as text. */
export function backupOf(database: Database): Promise<string> {
  return database.hold(async (run) => (await Array.fromAsync(writeBackup(run, names, "a test"))).join(""));
}

/** Restores a text, in chunks that end anywhere. */
export function restoreInto(database: Database, text: string, known = migrations) {
  const terms = { names, live: ["pots"], migrations: known };
  return database.hold((run) => restoreBackup(run, chunksOf(text), terms));
}

/** A text in chunks that end anywhere. */
export async function* chunksOf(text: string): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += 10_007) yield text.slice(at, at + 10_007);
}

export async function countPlants(database: Database): Promise<number> {
  const [row] = await database.query(
    (sql) => sql<{ count: number }[]>`select count(*)::int as count from plants`,
    5000,
  );
  return row?.count ?? 0;
}
