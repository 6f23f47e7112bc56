/** The live feed: what runs now and what has just ended, from `/api/stats/live`, for as long as the page is open. */
import { signal } from "@preact/signals";
import type { sayEnded } from "../../api/requests/service";
import { type ActiveRequest, errorOf, request } from "./api";

export type EndedRequest = ReturnType<typeof sayEnded>;

/** `lost`: not connected, and tried again by itself. `refused`: it needs the admin key. */
export const connection = signal<"connecting" | "open" | "lost" | "refused">("connecting");
/** Since when nothing has come; null while connected. */
export const lostSince = signal<Date | null>(null);
/** Grows when a connection that was lost is there again: whatever was loaded before may be old. */
export const reconnects = signal(0);
/** Oldest first. */
export const active = signal<readonly ActiveRequest[]>([]);

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** The server says something every 15 seconds: a connection that is silent for longer is dead. */
const SILENT_MS = 40_000;
/** What runs is said each second: what is not said for so long has ended unheard. */
const FORGOTTEN_MS = 6000;

/** How often what is made of ended requests is asked for again, at most. */
const TICK_MS = 5000;

const listeners = new Set<(ended: EndedRequest) => void>();
const running = new Map<string, { request: ActiveRequest; heardAt: number }>();

/** Calls the listener for each request that ends. @returns ends that */
export function onEnded(listener: (ended: EndedRequest) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Grows a moment after requests have ended: figures that are made of them are then old. */
export const endedTick = signal(0);
let isTickDue = false;
function tickSoon(): void {
  if (isTickDue) return;
  isTickDue = true;
  setTimeout(() => {
    isTickDue = false;
    endedTick.value += 1;
  }, TICK_MS);
}

/** Connects, and again whenever the connection breaks. Called once, by the frame. */
export async function followLive(): Promise<void> {
  let wait = FIRST_WAIT_MS;
  for (;;) {
    const silence = new AbortController();
    try {
      await follow(silence, () => {
        wait = FIRST_WAIT_MS;
      });
    } catch {
      // Why is on the page: it is not connected.
    }
    silence.abort();
    if (connection.value === "refused") return;
    lostSince.value ??= new Date();
    connection.value = "lost";
    await waited(wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

/** A page that comes back to the foreground, or onto the network, need not wait to the end. */
function waited(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      document.removeEventListener("visibilitychange", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    document.addEventListener("visibilitychange", done);
  });
}

async function follow(silence: AbortController, opened: () => void): Promise<void> {
  const response = await request("GET /api/stats/live", { signal: silence.signal });
  if (response.status === 401) {
    connection.value = "refused";
    return;
  }
  if (!response.ok || !response.body) throw await errorOf(response);
  running.clear();
  publish();
  connection.value = "open";
  if (lostSince.value) reconnects.value += 1;
  lostSince.value = null;
  opened();
  let timer = setTimeout(() => silence.abort(), SILENT_MS);
  for await (const { event, data } of events(response.body, () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENT_MS);
  })) {
    take(event, data);
  }
}

function take(event: string, data: string): void {
  if (event === "active") {
    const said: ActiveRequest = JSON.parse(data);
    running.set(said.id, { request: said, heardAt: Date.now() });
  } else if (event === "ended") {
    const ended: EndedRequest = JSON.parse(data);
    running.delete(ended.id);
    for (const listener of listeners) listener(ended);
    tickSoon();
  }
  publish();
}

let isDue = false;
/** At most once a frame, however many move on at once. */
function publish(): void {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    const now = Date.now();
    for (const [id, { heardAt }] of running) if (now - heardAt > FORGOTTEN_MS) running.delete(id);
    active.value = [...running.values()].map((one) => one.request).sort(byAge);
  }, 50);
}

function byAge(a: ActiveRequest, b: ActiveRequest): number {
  return a.id < b.id ? -1 : 1;
}

/** Server-Sent Events out of a body. @param heard called for whatever comes, comments included */
async function* events(
  body: ReadableStream<Uint8Array>,
  heard: () => void,
): AsyncGenerator<{ event: string; data: string }> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const field = (name: string) =>
        block
          .split("\n")
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).trimStart())
          .join("\n");
      if (field("data")) yield { event: field("event"), data: field("data") };
    }
  }
}
