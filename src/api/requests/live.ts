/** The live feed: what begins, moves on and ends, as Server-Sent Events. */
import { Elysia } from "elysia";
import type { Active } from "../../gateway/active";
import { eventStream } from "../../gateway/dialects/sse";
import type { Ledger } from "../../ledger/ledger";
import { about, streamed } from "../common";
import { sayActive, sayEnded } from "./service";

export interface LiveParts {
  readonly active: Active;
  readonly ledger: Ledger;
  /** Ends the feeds: the server stops. */
  readonly ending: AbortSignal;
}

/** How often a running request is said again, with its tokens so far. */
const MOVE_EVERY_MS = 1000;
/** A browser behind a proxy loses a feed that is silent for longer. */
const ALIVE_EVERY_MS = 15_000;
/** Who reads slower than things happen misses some of them rather than fill our memory. */
const MOST_WAITING_BYTES = 1_000_000;

const example = `event: active
data: {"id":"req_019ab2c4-6f10-7000-8000-000000000001","model":"llama3.2","phase":"generating","seconds":1.2,"tokens":42}

event: ended
data: {"id":"req_019ab2c4-6f10-7000-8000-000000000001","model":"llama3.2","outcome":"complete","latency_ms":1250}
`;

export function liveRoutes(parts: LiveParts) {
  return new Elysia({ name: "live" }).get(
    "/api/stats/live",
    ({ request, server }) => {
      // It is silent while nothing happens.
      server?.timeout(request, 0);
      return new Response(feed(parts), { headers: eventStream() });
    },
    {
      detail: {
        ...about(
          "Statistics",
          "Live feed",
          "Server-Sent Events: `active` when a request begins or moves on, and each second while it runs; `ended` when it has ended, with its figures. Fields as in /api/requests/active and /api/stats/logs, without texts. What is running comes first.",
          "reads texts",
        ),
        responses: { 200: streamed("text/event-stream", "One event each", example) },
      },
    },
  );
}

function feed({ active, ledger, ending }: LiveParts): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let end = () => {};
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => {
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
        };
        const say = (event: string, data: object) =>
          send(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
        const sayAll = () => {
          for (const request of active.list()) say("active", sayActive(request));
        };
        const stops = [
          active.onMove((request) => say("active", sayActive(request))),
          ledger.onEnd((record) => say("ended", sayEnded(record))),
        ];
        const timers = [
          setInterval(sayAll, MOVE_EVERY_MS),
          setInterval(() => send(": alive\n\n"), ALIVE_EVERY_MS),
        ];
        end = () => {
          for (const timer of timers) clearInterval(timer);
          for (const stop of stops) stop();
          ending.removeEventListener("abort", close);
        };
        const close = () => {
          end();
          controller.close();
        };
        ending.addEventListener("abort", close, { once: true });
        send(": Corral's live feed\n\n");
        sayAll();
      },
      cancel: () => end(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING_BYTES }),
  );
}
