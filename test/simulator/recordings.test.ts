/** What a real Ollama answered (test/recordings), held against what the simulator answers to the same requests. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ask, form } from "../gateway/asking";
import { type Recording, recording, recordings } from "../gateway/recordings";
import { type RunningSimulator, startSimulator } from "../support/simulator";

/** Models of the recordings that could do what a simulated one does that is asked by its name. */
const standIns: [RegExp, string][] = [
  [/"smollm2[-:]thinks?"/, '"sim-think-tokens30"'],
  // Its Anthropic recordings think too.
  [/"smollm2-tools"(?=.*"max_tokens")/, '"sim-tools-think"'],
  [/"smollm2[-:]tools?"/, '"sim-tools"'],
  [/"smollm2[-:]embed"/, '"nomic-embed-text"'],
];

/** What it does not do: it lacks no tools, eyes or ears, reaches every registry, and gives an error no stream's head. */
const beyond = /killed|no-tools|deaf-model|blind-model|unreachable|anthropic\/unknown-model-stream/;

let engine: RunningSimulator;
let empty: RunningSimulator;
beforeAll(async () => {
  const models = "smollm2:135m,small,smaller,nomic-embed-text";
  [engine, empty] = await Promise.all([
    startSimulator({ CORRAL_SIMULATOR_MODELS: models }),
    startSimulator({ CORRAL_SIMULATOR_MODELS: "" }),
  ]);
});
afterAll(() => Promise.all([engine, empty].map((one) => one?.stop())));

function request(name: string, { method, path, requestHeaders, request }: Recording) {
  const to = name.endsWith("-none") ? empty : engine;
  const text = standIns.reduce((body, [real, made]) => body.replace(real, made), request);
  const body = path.endsWith("/transcriptions") && !name.endsWith("no-form") ? form(text) : text || null;
  return ask(to.address + path, { method, headers: requestHeaders, body });
}

describe.each(["ollama", "openai", "anthropic"])("a recording of %s", (of) => {
  // In order, as some make what others ask for.
  const names = recordings(of)
    .filter((name) => !beyond.test(name))
    .sort();
  test.each(names)("%s has its like in the simulator", async (name) => {
    const real = recording(name);
    const made = await request(name, real);
    expect(made.status).toBe(real.status);
    expect(headersOf(made.headers)).toMatchObject(headersOf(real.headers));
    if (real.headers.has("content-length")) expect(made.headers.has("content-length")).toBe(true);
    // The words alone.
    if (name.endsWith("-text")) return expect(made.text).toMatch(/^\w[^{}]*$/);
    // An error is the same to the letter, but for the ids of Anthropic's.
    const shown = real.status >= 400 && of !== "anthropic" ? (text: string) => text : shapeOf;
    expect(shown(made.text)).toEqual(shown(real.body));
  });
});

/** Lengths differ with what is said, and Go tells none of what is longer than 2 KB. */
function headersOf(headers: Headers) {
  const own = ["connection", "content-length", "date", "keep-alive", "transfer-encoding"];
  return Object.fromEntries([...headers].filter(([name]) => !own.includes(name)));
}

/** What a body is made of: its frames, and in each the fields by name, order and type. Frames alike count once. */
function shapeOf(text: string): unknown {
  const frames = text.split(/(?<=\n\n)|(?<=\}\n)(?!\n)/).map((frame) => {
    const [, before, json, after] = /^(.*?)(\{.*\})(\n*)$/s.exec(frame) ?? [];
    return json === undefined ? frame : `${before}${JSON.stringify(typesOf(JSON.parse(json)))}${after}`;
  });
  return frames.filter((frame, index) => frame !== frames[index - 1]);
}

/** Fields are a list, since their order counts. */
function typesOf(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((one) => JSON.stringify(typesOf(one))))];
  if (value === null) return "null";
  if (typeof value !== "object") {
    return typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? "time" : typeof value;
  }
  // What a model_info holds, its architecture decides.
  return Object.entries(value).map(([name, one]) => [name, name === "model_info" || typesOf(one)]);
}
