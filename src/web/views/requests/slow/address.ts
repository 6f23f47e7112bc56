/** The view's address: whose requests, of what time. Its filters are those of the table. */
import { hrefOf } from "../../../shared/address";
import type { Entry } from "../request/spans";

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
export function questionOf(filters: URLSearchParams, now: number): Question {
  const moment = (name: string) => {
    const at = new Date(filters.get(name) ?? "");
    return Number.isNaN(at.getTime()) ? null : at;
  };
  const from = moment("from");
  const to = moment("to") ?? new Date(from ? Math.min(from.getTime() + USUAL_LENGTH_MS, now) : now);
  const [user, client_ip, model] = [filters.get("user"), filters.get("client_ip"), filters.get("model")];
  const [operation, server] = [filters.get("operation"), filters.get("server")];
  return {
    ...{ user, client_ip, model, operation, server, to },
    from: from ?? new Date(to.getTime() - USUAL_LENGTH_MS),
    request: filters.get("request"),
  };
}

/** Where one sees why a request took so long. */
export function hrefOfSlow({ id, timestamp, latency_ms, user, client_ip }: Entry): string {
  const at = Date.parse(timestamp);
  const around = Math.max(latency_ms, LEAST_AROUND_MS);
  return hrefOf("requests", {
    show: "phases",
    ...(user === null ? { client_ip } : { user }),
    from: new Date(at - around).toISOString(),
    to: new Date(at + latency_ms + around).toISOString(),
    request: id,
  });
}
