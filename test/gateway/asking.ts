/** What tests of the gateway ask, and of whom: Corral as a client, its record, and the engine behind it. */
import { talk } from "../fuzz/socket";
import { eventually, getJson, type RunningCorral } from "../support/corral";
import { readMessage } from "./tap";

/** A body of the contract's chat. */
export const contract = (model: string, more: object = {}) => ({ model, prompt: "hello there", ...more });

/** A body of Ollama's own chat. */
export const native = (model: string, more: object = {}) => ({
  model,
  messages: [{ role: "user", content: "hello there" }],
  ...more,
});

/** Every way of asking for a text that can be streamed, by its dialect: the path, and a body. */
export const asking: Record<string, readonly [path: string, body: (model: string, more?: object) => object]> =
  {
    "contract.chat": ["/api/chat", contract],
    "ollama.chat": ["/api/chat", native],
    "ollama.generate": ["/api/generate", contract],
    "openai.chat": ["/v1/chat/completions", native],
    "openai.completions": ["/v1/completions", contract],
    "openai.responses": ["/v1/responses", (model, more) => ({ model, input: "hello there", ...more })],
    "anthropic.messages": ["/v1/messages", (model, more) => native(model, { max_tokens: 100_000, ...more })],
  };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Whether the connection broke before the end of the body. */
  readonly broken: boolean;
}

/** Posts a body, as JSON unless it is a text, and reads the answer as far as it comes. */
export function post(url: string, body: unknown, init: RequestInit = {}): Promise<Answer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return ask(url, { method: "POST", body: text, ...init });
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { redirect: "manual", ...init });
  const decoder = new TextDecoder();
  let text = "";
  let broken = false;
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  } catch {
    broken = true;
  }
  return { status: response.status, headers: response.headers, text, broken };
}

/**
 * Posts a body as JSON, and reads all that comes up to the break where the answer breaks off. Bun's fetch drops what has
 * come and was not read yet when a reset follows, down to the whole answer (Bun 1.4.4).
 */
export async function postUpToBreak(url: string, body: unknown): Promise<Answer> {
  const { host, pathname, port } = new URL(url);
  const bytes = Buffer.from(JSON.stringify(body));
  const head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  const { text, statuses, closed } = await talk(Number(port), [head, bytes]);
  const answer = readMessage(text);
  return {
    status: statuses[0] ?? 0,
    headers: new Headers(answer.headers.map(([name, value]): [string, string] => [name, value])),
    text: Buffer.from(answer.body, "latin1").toString(),
    // Else it was whole, and the connection closed from here.
    broken: closed,
  };
}

/** The data of Server-Sent Events, each of which must be one line of JSON. */
export function events(text: string): unknown[] {
  const blocks = text.split("\n\n");
  if (blocks.pop() !== "") throw new Error(`the last event has no end: ${text}`);
  return blocks.map((block) => {
    if (!/^data: [^\n]+$/.test(block)) throw new Error(`not an event of one line: ${block}`);
    return JSON.parse(block.slice("data: ".length));
  });
}

/** The objects of NDJSON. */
export function lines(text: string): unknown[] {
  const rows = text.split("\n");
  if (rows.pop() !== "") throw new Error(`the last line has no end: ${text}`);
  return rows.map((row) => JSON.parse(row));
}

export interface Recorded {
  readonly model: string | null;
  readonly prompt: string | null;
  readonly response: string | null;
  readonly thinking: string | null;
  readonly tokens_in: number | null;
  readonly tokens_out: number | null;
  readonly latency_ms: number;
  readonly ttft_ms: number | null;
  readonly status: string;
  readonly outcome: string;
  readonly http_status: number | null;
  readonly dialect: string;
  readonly stream: boolean;
  readonly finish_reason: string | null;
  readonly error: string | null;
  readonly client_ip: string | null;
}

/** The record of the only request for a model; a tag such as `sim-tokens3:mine` makes one of a test's own. */
export async function record(corral: RunningCorral, model: string): Promise<Recorded> {
  const url = `${corral.url}/api/stats/logs?model=${encodeURIComponent(model)}`;
  const page = await eventually(
    // While the database comes up there is an error instead.
    async () => ((await getJson(url)) as { logs?: Recorded[] }).logs ?? [],
    (logs) => logs.length > 0,
  );
  const [found, second] = page;
  if (!found || second) throw new Error(`${page.length} records of ${model}`);
  return found;
}

export interface EngineState {
  readonly requests: number;
  readonly active: number;
  readonly aborted: number;
  readonly last: {
    readonly path: string;
    readonly body: unknown;
    readonly headers: Record<string, string>;
  } | null;
  readonly paths: Record<string, number>;
}

/** What the simulator has seen. */
export async function engineState(corral: RunningCorral): Promise<EngineState> {
  return (await getJson(`${corral.engine}/simulator/state`)) as EngineState;
}

/** What is under way at Corral. */
export async function running(corral: RunningCorral) {
  const { requests } = (await getJson(`${corral.url}/api/requests/active`)) as {
    requests: { model: string; phase: string; tokens: number }[];
  };
  return requests;
}

/** A multipart form. @param fields JSON of its fields; `file` is a sound in base64 */
export function form(fields: string): FormData {
  const made = new FormData();
  const parsed: Record<string, string> = JSON.parse(fields);
  for (const [name, value] of Object.entries(parsed)) {
    if (name !== "file") made.append(name, value);
    else made.append(name, new File([Buffer.from(value, "base64")], "sound.wav", { type: "audio/wav" }));
  }
  return made;
}
