/**
 * What Corral adds: to each token and to each request, against asking the engine itself, in one run.
 *
 *     bun test/bench/chat.ts
 *
 * Tokens are timed by the engine's own clock: `created_at` of a line, made as it is sent, against the moment at which
 * the line is here. Both ways take turns, so that a busy machine is busy for both.
 */

import { native } from "../gateway/asking";
import { startCorral } from "../support/corral";

const ROUNDS = 5;
const STREAMS = 6;
const REQUESTS = 300;

const corral = await startCorral();
const ways = { direct: corral.engine, corral: corral.url };
type Way = keyof typeof ways;
const both = <T>(make: (way: Way) => T): Record<Way, T> => ({
  direct: make("direct"),
  corral: make("corral"),
});

try {
  await Promise.all(Object.values(ways).map((url) => request(url, 50)));
  const delays = both<number[]>(() => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const way of ["direct", "corral"] as const)
      await Promise.all(Array.from({ length: STREAMS }, () => tokens(ways[way], delays[way])));
  report("ms from a token's making to its arrival", delays);

  const latencies = both<number[]>(() => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const way of ["direct", "corral"] as const)
      latencies[way].push(...(await request(ways[way], REQUESTS / ROUNDS)));
  report("ms a request of one token, one after the other", latencies);

  const rates = both<number[]>(() => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const way of ["direct", "corral"] as const) rates[way].push(await rate(ways[way]));
  report("tokens/s of streams at full speed", rates);
} finally {
  await corral.stop();
}

/** One stream of tokens 10 ms apart; how late each was. */
async function tokens(url: string, late: number[]): Promise<void> {
  const response = await chat(url, "sim-delay10-tokens100");
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body ?? []) {
    const at = performance.timeOrigin + performance.now();
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, second, fraction] = /"created_at":"([^."]*)(\.\d+)?Z"/.exec(line) ?? [];
      if (second) late.push(at - Date.parse(`${second}Z`) - Number(fraction ?? 0) * 1000);
    }
  }
}

async function request(url: string, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let index = 0; index < count; index++) {
    const started = performance.now();
    await (await chat(url, "sim-tokens1-delay0-prefill0")).text();
    took.push(performance.now() - started);
  }
  return took;
}

async function rate(url: string): Promise<number> {
  const count = 20_000;
  const started = performance.now();
  await (await chat(url, `sim-long${count}`)).bytes();
  return (count * 1000) / (performance.now() - started);
}

function chat(url: string, model: string): Promise<Response> {
  return fetch(`${url}/api/chat`, { method: "POST", body: JSON.stringify(native(model)) });
}

function report(title: string, values: Record<Way, number[]>): void {
  const at = (way: Way, share: number) => {
    const sorted = values[way].toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  };
  console.log(title);
  for (const [name, share] of [
    ["median", 0.5],
    ["p95", 0.95],
    ["p99", 0.99],
  ] as const) {
    const [direct, through] = [at("direct", share), at("corral", share)];
    const sign = through >= direct ? "+" : "";
    console.log(
      `  ${name.padEnd(7)} direct ${direct.toFixed(2)}  corral ${through.toFixed(2)}  ${sign}${(through - direct).toFixed(2)}  x${(through / direct).toFixed(2)}`,
    );
  }
}
