/** Known requests as a table to join with, such that each leads to its one partition. */
import type { Sql } from "../../database/database";
import type { Place } from "./walk";

/** A table `p` of places, in their order. */
function tableOf(sql: Sql, places: readonly Place[]) {
  const ids = places.map(({ id }) => id);
  const times = places.map(({ started_at }) => started_at.toISOString());
  return sql`unnest(${ids}::uuid[], ${times}::timestamptz[]) with ordinality as p (id, started_at, place)`;
}

/** Places with the texts that are kept of them. */
export function placesWithTexts(sql: Sql, places: readonly Place[]) {
  return sql`${tableOf(sql, places)} ${withTexts(sql, places)}`;
}

/** Places with their rows and the texts that are kept of them; one that was forgotten meanwhile is left out. */
export function placesWithAll(sql: Sql, places: readonly Place[]) {
  const { first, last } = spanOf(places);
  return sql`${tableOf(sql, places)}
    join requests r on r.id = p.id and r.started_at = p.started_at and r.started_at between ${first} and ${last}
    ${withTexts(sql, places)}`;
}

/** Partitions of other times are not even planned for. */
function withTexts(sql: Sql, places: readonly Place[]) {
  const { first, last } = spanOf(places);
  return sql`left join contents c
    on c.request_id = p.id and c.started_at = p.started_at and c.started_at between ${first} and ${last}`;
}

function spanOf(places: readonly Place[]): { first: string; last: string } {
  const times = places.map(({ started_at }) => started_at.getTime()).sort((a, b) => a - b);
  return { first: new Date(times[0] ?? 0).toISOString(), last: new Date(times.at(-1) ?? 0).toISOString() };
}
