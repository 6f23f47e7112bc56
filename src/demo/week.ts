/** The week's shape: when people come, and when the engine had its bad quarter of an hour. */
import type { Chance } from "./chance";
import { type Client, clients } from "./clients";

const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

/** Shares of a day's talks, by the hour from midnight. */
const shares: Readonly<Record<Client["hours"], readonly number[]>> = {
  office: [0, 0, 0, 0, 0, 0, 1, 3, 9, 14, 15, 13, 6, 9, 14, 13, 9, 5, 2, 1, 1, 0, 0, 0],
  late: [2, 1, 0, 0, 0, 0, 0, 1, 3, 6, 8, 8, 4, 6, 9, 9, 8, 6, 4, 5, 7, 8, 6, 4],
  night: [0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
};
/** Of a weekday's talks, those that the bad quarter of an hour brings. */
const BAD_SHARE = 0.05;
/** Of a weekday's talks, what is left at the weekend. The job in the night knows none. */
const weekend: Readonly<Record<Client["hours"], number>> = { office: 0.08, late: 0.3, night: 1 };

export interface Visit {
  readonly client: Client;
  /** Milliseconds of the epoch. */
  readonly at: number;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * When each client begins a talk in the week before `now`, in order.
 * @param offsetMs local time less UTC: office hours are local
 * @param bad when more come than usual: whoever got no answer elsewhere tries here, too
 */
export function makeVisits(chance: Chance, now: number, offsetMs: number, bad: Span): Visit[] {
  const visits: Visit[] = [];
  const from = now - WEEK_MS;
  const come = (client: Client, span: Span, count: number) => {
    for (let visit = 0; visit < count; visit++) {
      const at = chance.between(span.from, span.to - 1);
      if (at >= from && at < now) visits.push({ client, at });
    }
  };
  for (let hour = Math.floor(from / HOUR_MS) * HOUR_MS; hour < now; hour += HOUR_MS) {
    // Local time, read by UTC's names.
    const local = new Date(hour + offsetMs);
    for (const client of clients) {
      const share = (shares[client.hours][local.getUTCHours()] ?? 0) / 100;
      const expected = client.talks * share * (isWeekend(local) ? weekend[client.hours] : 1);
      const count = client.hours === "night" ? Math.round(expected) : chance.arrivals(expected);
      come(client, { from: hour, to: hour + HOUR_MS }, count);
    }
  }
  for (const client of clients)
    if (client.hours === "office") come(client, bad, chance.arrivals(client.talks * BAD_SHARE));
  return visits.sort((one, other) => one.at - other.at);
}

/** The latest quarter of an hour of a weekday's afternoon or morning that has been over for an hour or more. */
export function badQuarter(now: number, offsetMs: number): Span {
  for (let to = Math.floor((now - HOUR_MS) / QUARTER_MS) * QUARTER_MS; ; to -= QUARTER_MS) {
    const local = new Date(to - QUARTER_MS + offsetMs);
    const hour = local.getUTCHours();
    if (!isWeekend(local) && ((hour >= 9 && hour < 12) || (hour >= 14 && hour < 16)))
      return { from: to - QUARTER_MS, to };
  }
}

function isWeekend(local: Date): boolean {
  return local.getUTCDay() % 6 === 0;
}
