/**
 * What Corral adds, with every request logged in full.
 *
 * The same is asked of the engine (a simulator) itself, through the plainest proxy, and through Corral, in turns, so
 * that a busy machine is busy for all. Figures of one run may be compared with one another, and with those of another
 * run they may not.
 */
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { native } from "../gateway/asking";
import { eventually, getJson, startCorral } from "../support/corral";
import { residentMegabytes } from "../support/memory";
import { sourceProgram } from "../support/program";

const ROUNDS = 20;
const REQUESTS_A_ROUND = 100;
const CLIENTS = 32;
const TOKENS = 100;
const PACED_STREAMS = 8;
const OPEN_STREAMS = 1000;
const ABORTED_STREAMS = 20_000;
const ABORTED_AT_ONCE = 100;
/** Until the allocator has given back what it will. */
const SETTLE_MS = 20_000;

const corral = await startCorral({ program: sourceProgram });
const plain = Bun.spawn([process.execPath, join(import.meta.dir, "plain-entry.ts")], {
  env: { ...process.env, ENGINE: corral.engine },
  stdio: ["ignore", "pipe", "inherit"],
});
const { value: said } = await plain.stdout.getReader().read();
const ways = { direct: corral.engine, plain: new TextDecoder().decode(said).trim(), corral: corral.url };
type Way = keyof typeof ways;
type Samples = Record<Way, number[]>;

console.log(
  `${cpus().length} x ${cpus()[0]?.model}, ${Math.round(totalmem() / 1e9)} GB, Bun ${Bun.version}\n`,
);
try {
  await inTurns(2, (way) => repeat(REQUESTS_A_ROUND, () => whole(way)));

  console.log("| | direct | plain proxy | Corral | Corral adds | ratio |\n|---|---|---|---|---|---|");
  report("whole reply, 1 client", await inTurns(ROUNDS, (way) => repeat(REQUESTS_A_ROUND, () => whole(way))));
  report("first token, 1 client", await inTurns(ROUNDS, (way) => repeat(20, () => firstToken(way))));
  report("each token, 10 ms apart", await inTurns(PACED_STREAMS, tokens));
  report("whole reply, 32 clients", await inTurns(ROUNDS, manyClients));
  const rates = await inTurns(ROUNDS, async (way) => {
    const started = performance.now();
    const { length } = await manyClients(way);
    return [(length * 1000) / (performance.now() - started)];
  });
  const [direct, bare, through] = eachWay(rates, 0.5);
  console.log(
    `| requests/s, 32 clients | ${direct.toFixed(0)} | ${bare.toFixed(0)} | ${through.toFixed(0)} | | ${(through / direct).toFixed(2)} |\n`,
  );

  const resting = residentMegabytes(corral.pid);
  const mostOpen = watchPeak();
  const whether = await Promise.all(Array.from({ length: OPEN_STREAMS }, openStream));
  console.log(
    `${whether.filter(Boolean).length} of ${OPEN_STREAMS} streams that were open at once came whole: ` +
      `${resting} MB before, ${mostOpen()} MB at most`,
  );

  const before = residentMegabytes(corral.pid);
  const mostAborted = watchPeak();
  for (let sent = 0; sent < ABORTED_STREAMS; sent += ABORTED_AT_ONCE)
    await Promise.all(Array.from({ length: ABORTED_AT_ONCE }, abortedStream));
  const peak = mostAborted();
  await eventually(
    () => getJson(`${corral.url}/api/requests/active`),
    (active) => JSON.stringify(active) === '{"requests":[]}',
  );
  await Bun.sleep(SETTLE_MS);
  const after = residentMegabytes(corral.pid);
  console.log(
    `${ABORTED_STREAMS} streams that their clients left: ` +
      `${before} MB before, ${peak} MB at most, ${after} MB after (${(after / before).toFixed(2)})`,
  );
} finally {
  plain.kill();
  await corral.stop();
}

/** All ways, one after the other, as often as is said. */
async function inTurns(rounds: number, measure: (way: Way) => Promise<number[]>): Promise<Samples> {
  const samples: Samples = { direct: [], plain: [], corral: [] };
  for (let round = 0; round < rounds; round++)
    for (const way of ["direct", "plain", "corral"] as const) samples[way].push(...(await measure(way)));
  return samples;
}

async function repeat(count: number, measure: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let index = 0; index < count; index++) samples.push(await measure());
  return samples;
}

function chat(way: Way, model: string, more: object = {}, signal?: AbortSignal): Promise<Response> {
  const body = JSON.stringify(native(model, more));
  return fetch(`${ways[way]}/api/chat`, { method: "POST", body, ...(signal ? { signal } : {}) });
}

async function whole(way: Way): Promise<number> {
  const started = performance.now();
  const text = await (await chat(way, "sim-tokens1-delay0-prefill0", { stream: false })).text();
  const took = performance.now() - started;
  if (!isWhole(text)) throw new Error(`no reply: ${text}`);
  return took;
}

async function manyClients(way: Way): Promise<number[]> {
  const clients = Array.from({ length: CLIENTS }, () => repeat(10, () => whole(way)));
  return (await Promise.all(clients)).flat();
}

async function firstToken(way: Way): Promise<number> {
  const started = performance.now();
  const reader = (await chat(way, "sim-tokens5-delay0-prefill0")).body?.getReader();
  await reader?.read();
  const took = performance.now() - started;
  while (reader && !(await reader.read()).done);
  return took;
}

/** How late each token of a stream is, by the engine's own clock: a line's `created_at` is when it was made. */
async function tokens(way: Way): Promise<number[]> {
  const late: number[] = [];
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of (await chat(way, `sim-delay10-tokens${TOKENS}`)).body ?? []) {
    const now = performance.timeOrigin + performance.now();
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, second, fraction] = /"created_at":"([^."]*)(\.\d+)?Z"/.exec(line) ?? [];
      if (second) late.push(now - Date.parse(`${second}Z`) - Number(fraction ?? 0) * 1000);
    }
  }
  return late;
}

/** @returns whether it came whole */
async function openStream(): Promise<boolean> {
  return isWhole(await (await chat("corral", `sim-tokens${TOKENS}-delay50`)).text());
}

/** A stream whose client leaves at its first token. */
async function abortedStream(): Promise<void> {
  const abort = new AbortController();
  const response = await chat("corral", "sim-tokens1000-delay20", {}, abort.signal);
  await response.body?.getReader().read();
  abort.abort();
}

function isWhole(text: string): boolean {
  return text.includes('"done":true');
}

/** @returns ends the watch and says the most megabytes that were seen */
function watchPeak(): () => number {
  let most = 0;
  const look = () => {
    most = Math.max(most, residentMegabytes(corral.pid));
  };
  const timer = setInterval(look, 50);
  return () => {
    clearInterval(timer);
    look();
    return most;
  };
}

function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function report(title: string, samples: Samples): void {
  for (const [name, share] of [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const) {
    const [direct, bare, through] = eachWay(samples, share);
    const added = Math.round((through - direct) * 1000);
    console.log(
      `| ${title}, ${name} | ${direct.toFixed(2)} ms | ${bare.toFixed(2)} ms | ${through.toFixed(2)} ms | ${added} µs | ${(through / direct).toFixed(2)} |`,
    );
  }
}

function eachWay({ direct, plain, corral }: Samples, share: number): [number, number, number] {
  return [percentile(direct, share), percentile(plain, share), percentile(corral, share)];
}
