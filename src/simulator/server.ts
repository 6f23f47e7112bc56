/** The routes, and the process around them. */

import { anthropicError, messages } from "./anthropic";
import { arrivals } from "./arrivals";
import { BadBehaviour } from "./behaviour";
import { EarlyRefusal, Refusal } from "./body";
import { blobs, copy, ps, remove, show, tags, version } from "./catalogue";
import { me, recommendations, signOut, webFetch, webSearch } from "./cloud";
import { embed, embeddings, openaiEmbeddings } from "./embed";
import { jsonResponse } from "./faults";
import { gate } from "./gate";
import { goJson } from "./go-json";
import { type Log, log } from "./log";
import { memory } from "./memory";
import { shelf } from "./models";
import { chat, generateText } from "./native";
import { chatCompletions, completions, model, models, openaiError } from "./openai";
import { create, pull, push } from "./pull";
import { responses } from "./responses";
import type { Settings } from "./settings";
import { transcriptions } from "./transcriptions";
import type { World } from "./world";

type Handler = (request: Request, parameter: string) => Response | Promise<Response>;
type Methods = Partial<Record<string, Handler>>;

/** How long the last bytes get to leave the machine before a crash. */
const crashDelayMs = 50;

/**
 * Makes the simulator: a function that answers requests as Ollama would.
 * @param write where log lines go
 */
export function simulator(settings: Settings, write: (line: string) => void) {
  const logger = log(write);
  const world: World = {
    settings,
    shelf: shelf(settings.models, settings.seed),
    memory: memory(settings),
    arrivals: arrivals(),
    log: logger,
    crash: async () => {
      await Bun.sleep(crashDelayMs);
      process.kill(process.pid, "SIGKILL");
      return await new Promise<never>(() => {});
    },
  };
  const find = router(world);
  const admit = gate(settings);

  async function answerTo(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/simulator/")) world.arrivals.hit(`${request.method} ${pathname}`);
    const found = find(request.method, pathname);
    const refused = admit.refuse(request);
    if (refused) {
      // Go's router has looked before anybody is refused.
      const allow = found instanceof Response ? found.headers.get("allow") : null;
      if (allow !== null) refused.headers.set("allow", allow);
      return refused;
    }
    try {
      if (!(found instanceof Response)) return await found(request);
      // Go's server reads what is left of a body, too.
      await request.bytes();
      return found;
    } catch (error) {
      return errorResponse(error, pathname, logger);
    }
  }

  return {
    world,
    async fetch(request: Request): Promise<Response> {
      const response = await answerTo(request);
      return request.method === "HEAD" ? await headOf(response) : admit.mark(request, response);
    },
  };
}

function router(world: World) {
  const store = blobs();
  const running = () =>
    new Response("Ollama is running", { headers: { "content-type": "text/plain; charset=utf-8" } });
  const versioned = () => jsonResponse({ version });
  const on =
    (handler: (world: World, request: Request) => Response | Promise<Response>): Handler =>
    (request) =>
      handler(world, request);
  const exact: Record<string, Methods> = {
    "/": { HEAD: running, GET: running },
    "/api/version": { HEAD: versioned, GET: versioned },
    "/api/status": { GET: () => jsonResponse({ cloud: { disabled: true, source: "env" } }) },
    "/api/tags": { HEAD: on(tags), GET: on(tags) },
    "/api/ps": { GET: on(ps) },
    "/api/show": { POST: on(show) },
    "/api/chat": { POST: on(chat) },
    "/api/generate": { POST: on(generateText) },
    "/api/embed": { POST: on(embed) },
    "/api/embeddings": { POST: on(embeddings) },
    "/api/copy": { POST: on(copy) },
    "/api/delete": { DELETE: on(remove) },
    "/api/pull": { POST: on(pull) },
    "/api/push": { POST: on(push) },
    "/api/create": { POST: on(create) },
    "/api/me": { POST: me },
    "/api/signout": { POST: signOut },
    "/api/experimental/web_search": { POST: webSearch },
    "/api/experimental/web_fetch": { POST: webFetch },
    "/api/experimental/model-recommendations": { GET: recommendations },
    "/v1/chat/completions": { POST: on(chatCompletions) },
    "/v1/completions": { POST: on(completions) },
    "/v1/embeddings": { POST: on(openaiEmbeddings) },
    "/v1/responses": { POST: on(responses) },
    "/v1/audio/transcriptions": { POST: on(transcriptions) },
    "/v1/models": { GET: on(models) },
    "/v1/messages": { POST: on(messages) },
    "/simulator/state": { GET: () => jsonResponse(world.arrivals.state(world.memory.runners())) },
  };
  const prefixes: [string, Methods][] = [
    [
      "/api/blobs/",
      { HEAD: (_, digest) => store.head(digest), POST: (request, digest) => store.create(digest, request) },
    ],
    ["/api/user/keys/", { DELETE: signOut }],
    ["/v1/models/", { GET: (_, name) => model(world, name) }],
  ];
  return (
    method: string,
    pathname: string,
  ): Response | ((request: Request) => Response | Promise<Response>) => {
    const prefix = prefixes.find(
      ([start]) => pathname.startsWith(start) && !pathname.slice(start.length).includes("/"),
    );
    const methods = exact[pathname] ?? prefix?.[1];
    if (!methods) return plain("404 page not found", 404);
    const handler = methods[method];
    if (!handler) return plain("405 method not allowed", 405, { allow: Object.keys(methods).join(", ") });
    const parameter = prefix ? decodeURIComponent(pathname.slice(prefix[0].length)) : "";
    return (request) => handler(request, parameter);
  };
}

/** Bun leaves the length of a body out when there is only its head; Go's server tells it. */
async function headOf(response: Response): Promise<Response> {
  const { byteLength } = await response.arrayBuffer();
  response.headers.set("content-length", String(byteLength));
  return new Response(null, { status: response.status, headers: response.headers });
}

function plain(text: string, status: number, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { "content-type": "text/plain", ...headers } });
}

function errorResponse(error: unknown, pathname: string, logger: Log): Response {
  const status = error instanceof Refusal ? error.status : error instanceof BadBehaviour ? 400 : 500;
  const message = error instanceof Error ? error.message : String(error);
  if (status === 500 && !(error instanceof Refusal)) logger("ERROR", "server.ts", message);
  if (!pathname.startsWith("/v1/")) return jsonResponse({ error: message }, status);
  const body = pathname === "/v1/messages" ? anthropicError(status, message) : openaiError(status, message);
  if (error instanceof EarlyRefusal) return jsonResponse(body, status);
  return new Response(`${goJson(body)}\n`, { status, headers: { "content-type": "application/json" } });
}
