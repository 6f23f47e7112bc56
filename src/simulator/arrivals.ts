/** What arrived, so that a test can ask: `GET /simulator/state`. */

type Arrival = { path: string; body: unknown; headers: Record<string, string> };

export type Arrivals = ReturnType<typeof arrivals>;

/** Counts requests and keeps the last one. */
export function arrivals() {
  let requests = 0;
  let active = 0;
  let aborted = 0;
  let last: Arrival | undefined;
  const paths: Record<string, number> = {};
  return {
    /** Counts a request of any kind, for instance "GET /api/ps". */
    hit(line: string) {
      paths[line] = (paths[line] ?? 0) + 1;
    },

    /** An inference request has arrived and was understood. */
    arrived(arrival: Arrival) {
      requests++;
      last = arrival;
    },

    /** Work for a client begins. @returns what to call once it ends */
    begin(): (how: "finished" | "aborted") => void {
      active++;
      return (how) => {
        active--;
        if (how === "aborted") aborted++;
      };
    },

    state: (runners: number[]) => ({ requests, active, aborted, runners, last: last ?? null, paths }),
  };
}
