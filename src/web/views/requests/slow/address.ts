/** The view's address: whose requests, of what time. Its filters are those of the table. */

import { filters, hrefOf } from "../../../shared/address";
import type { Entry } from "../../../shared/api";

/** So much is seen on each side of a request, at least. */
const LEAST_AROUND_MS = 2000;
/** What is looked at unless somebody asks otherwise. */
const USUAL_LENGTH_MS = 15 * 60_000;

export interface Question {
  readonly user: string | null;
  readonly client_ip: string | null;
  readonly model: string | null;
  readonly operation: string | null;
  readonly server: string | null;
  readonly from: Date;
  readonly to: Date;
  /** The id of the request that is asked about. */
  readonly request: string | null;
}

/** @param now ends the time where none is given, ms since 1970 */
export function questionOf(now: number): Question {
  const of = (name: string) => filters.value.get(name);
  const moment = (name: string) => {
    const at = new Date(of(name) ?? "");
    return Number.isNaN(at.getTime()) ? null : at;
  };
  const from = moment("from");
  const to = moment("to") ?? new Date(from ? Math.min(from.getTime() + USUAL_LENGTH_MS, now) : now);
  return {
    user: of("user"),
    client_ip: of("client_ip"),
    model: of("model"),
    operation: of("operation"),
    server: of("server"),
    from: from ?? new Date(to.getTime() - USUAL_LENGTH_MS),
    to,
    request: of("request"),
  };
}

/** Whether all requests are asked about: then there is nobody else. */
export function isAnyone({ user, client_ip, model, operation }: Question): boolean {
  return [user, client_ip, model, operation].every((value) => value === null);
}

/** Where one sees why a request took so long. */
export function hrefOfSlow(entry: Entry): string {
  const { user, client_ip } = entry;
  return hrefOf("requests", {
    show: "phases",
    ...(user === null ? { client_ip } : { user }),
    ...timeAround(entry),
  });
}

/** The time of a request with some of what was around it, and the request chosen. */
export function timeAround({ id, timestamp, latency_ms }: Entry) {
  const at = Date.parse(timestamp);
  const around = Math.max(latency_ms, LEAST_AROUND_MS);
  return {
    from: new Date(at - around).toISOString(),
    to: new Date(at + latency_ms + around).toISOString(),
    request: id,
  };
}

/** The table of the same filters, or a request beside it. */
export function hrefOfTable(...id: string[]): string {
  return hrefOf("requests", { ...Object.fromEntries(filters.value), show: null, request: null }, id);
}
