/** Clients of every kind, who note what they got: a request is told from all others by its User-Agent. */
import type { Random } from "../../../src/simulator/random";
import { asking, native } from "../../gateway/asking";

/** What became of a request, as its client saw it. */
export interface Seen {
  readonly agent: string;
  /** null where not even a status came. */
  status: number | null;
  /** Whether a first byte came. */
  begun: boolean;
  /** Whether the last did. */
  whole: boolean;
  /** The client left by itself. */
  left: boolean;
}

export interface Load {
  /** No new requests; waits for those under way. */
  stop(): Promise<Seen[]>;
}

const CLIENTS = 6;
const WHILE_DOWN_MS = 20;

/** From at once to some 300 ms. */
const models = [
  "sim-tokens3-delay0-prefill0",
  "sim-tokens3-delay0-prefill0",
  "sim-tokens8-delay5",
  "sim-tokens15-delay20",
  "sim-emoji-tokens5",
];
const ends = ["[DONE]", '"done":true', '"type":"response.completed"', '"type":"message_stop"'];

/** @param urlOf of the server of the moment */
export function startLoad(urlOf: () => string, name: string, random: Random): Load {
  const seen: Seen[] = [];
  let asked = 0;
  let stopped = false;
  const client = async () => {
    while (!stopped) {
      const agent = `${name}/${++asked}`;
      const one = { agent, status: null, begun: false, whole: false, left: false };
      if (await request(urlOf(), one, random)) seen.push(one);
      else await Bun.sleep(WHILE_DOWN_MS);
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  return {
    async stop() {
      stopped = true;
      await Promise.all(clients);
      return seen;
    },
  };
}

/** @returns whether there was somebody to ask */
async function request(url: string, seen: Seen, random: Random): Promise<boolean> {
  const [path = "", body = native] = asking[random.pick(Object.keys(asking))] ?? [];
  const model = random.pick(models);
  const leaves = random.next() < 0.1;
  const abort = new AbortController();
  let text = "";
  try {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { "user-agent": seen.agent },
      body: JSON.stringify(body(model, { stream: random.next() < 0.8 })),
      signal: abort.signal,
    });
    seen.status = response.status;
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      seen.begun = true;
      text += decoder.decode(chunk, { stream: true });
      if (leaves && !ends.some((end) => text.includes(end))) {
        seen.left = true;
        abort.abort();
      }
    }
    const isStream = /event-stream|ndjson/.test(response.headers.get("content-type") ?? "");
    seen.whole = !isStream || ends.some((end) => text.includes(end));
  } catch (error) {
    // Else it broke, or its client left: `whole` says so.
    return !(error instanceof Error && "code" in error && error.code === "ECONNREFUSED");
  }
  return true;
}
