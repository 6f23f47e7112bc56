/** The Elysia app: plug-ins, guards, features in order, and every Failure turned into HTTP in one place. */
import { hostname } from "node:os";
import { cors } from "@elysiajs/cors";
import { Elysia, ParseError, ValidationError } from "elysia";
import { type Access, type Use, uses } from "./access";
import { chatRoutes } from "./api/chat";
import { useMark, type WhoAsks } from "./api/common";
import { dataRoutes } from "./api/data";
import { transferRoutes } from "./api/data/transfer";
import { docsRoutes, pluginPage } from "./api/docs";
import { engineRoutes } from "./api/engine";
import { eventRoutes } from "./api/events";
import { healthRoutes } from "./api/health";
import { ledgerRoutes } from "./api/ledger";
import { metricsRoutes } from "./api/metrics";
import { repositoryRoutes } from "./api/models";
import { ollamaRoutes } from "./api/ollama";
import type { Library } from "./api/ollama/library";
import { requestRoutes } from "./api/requests";
import { liveRoutes } from "./api/requests/live";
import { sessionRoutes } from "./api/session";
import { settingsRoutes } from "./api/settings";
import { statsRoutes } from "./api/stats";
import { logRoutes } from "./api/stats/logs";
import type { Database } from "./database/database";
import { instanceHeader } from "./engine/place";
import type { Pulls } from "./engine/pulls";
import type { OllamaService } from "./engine/service";
import { asFailure, type Failure, failure, messageOf } from "./errors";
import { hangUp } from "./gateway/body";
import { whoOf } from "./gateway/circumstances";
import { anthropicMessages } from "./gateway/dialects/anthropic/messages";
import { contractChat } from "./gateway/dialects/contract/chat";
import { ollamaChat } from "./gateway/dialects/ollama/chat";
import { ollamaEmbed, ollamaEmbeddings } from "./gateway/dialects/ollama/embed";
import { ollamaGenerate } from "./gateway/dialects/ollama/generate";
import { openAiChat } from "./gateway/dialects/openai/chat";
import { openAiCompletions } from "./gateway/dialects/openai/completions";
import { openAiEmbeddings } from "./gateway/dialects/openai/embeddings";
import { openAiResponses } from "./gateway/dialects/openai/responses";
import { openAiTranscriptions } from "./gateway/dialects/openai/transcriptions";
import type { Gateway } from "./gateway/gateway";
import { refusePassed } from "./gateway/pass";
import { createPaths, type Place } from "./gateway/paths";
import { truncatedHeader } from "./gateway/truncation";
import type { Disk } from "./ledger/budget";
import type { Ledger } from "./ledger/ledger";
import type { Keeping } from "./ledger/retention";
import type { Log } from "./log";
import { allowedHeaders, hostAllowed, originAllowed, preflightSeconds } from "./origins";
import { pathOf, routedPath, urlOf } from "./request-path";
import { sayWrong } from "./schema";
import type { SettingInForce } from "./settings";
import { webRoutes } from "./web";

/** How long a connection is kept on which nothing is asked. */
export const IDLE_SECONDS = 120;

/** No path of ours is longer, whatever a name in it may be. */
const LONGEST_LOGGED = 500;

type Server = Pick<Bun.Server<unknown>, "requestIP" | "timeout">;

export interface AppParts {
  readonly engine: OllamaService;
  readonly pulls: Pulls;
  /** This server's id over its restarts: rows in a shared database name it. */
  readonly server: string;
  readonly library: Library;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly disk: Disk;
  readonly keeping: Keeping;
  readonly gateway: Gateway;
  readonly log: Log;
  readonly version: string;
  /** This program's id, in a header of its own answers: an Ollama address that answers with it is no Ollama. */
  readonly instance: string;
  readonly access: Access;
  /** As they are shown. */
  readonly settings: readonly SettingInForce[];
  /** From the connection's address and X-Forwarded-For. */
  readonly clientAddress: (peer: string | null, forwardedFor: string | null) => string | null;
  /** Whether it listens on loopback alone. */
  readonly loopback: boolean;
  /** Origins that may call beside Ollama's own list. */
  readonly origins: readonly string[];
  /** Aborted when the server stops. */
  readonly ending: AbortSignal;
  readonly uptimeSeconds: () => number;
}

/** POST paths that are recorded. */
const dialects = new Map([
  ["/api/chat", [contractChat, ollamaChat]],
  ["/api/generate", [ollamaGenerate]],
  ["/api/embed", [ollamaEmbed]],
  ["/api/embeddings", [ollamaEmbeddings]],
  ["/v1/chat/completions", [openAiChat]],
  ["/v1/completions", [openAiCompletions]],
  ["/v1/embeddings", [openAiEmbeddings]],
  ["/v1/responses", [openAiResponses]],
  ["/v1/audio/transcriptions", [openAiTranscriptions]],
  ["/v1/messages", [anthropicMessages]],
]);

export function createApp(parts: AppParts) {
  const { engine, gateway, log, instance } = parts;
  const places = new WeakMap<Request, Place>();
  const machine = hostname();
  /** Of requests that were made anew, which have no connection of their own. */
  const addresses = new WeakMap<Request, string | null>();
  let placeOf: ReturnType<typeof createPaths>;
  let again: (request: Request) => Promise<Response>;

  const carry = async (request: Request, server: Server | null): Promise<Response> => {
    const place = places.get(request) ?? placeOf(request.method, pathOf(request));
    if (place.owner !== "engine") throw failure.notFound(pathOf(request));
    parts.access.withhold(request.headers);
    return gateway.handle(request, place, addressOf(request, server), patience(request, server));
  };
  const forEngine = (request: Request): boolean => {
    try {
      return placeOf(request.method, pathOf(request)).owner === "engine";
    } catch {
      // No place at all: the routes below say so.
      return false;
    }
  };
  const failed = (request: Request, thrown: unknown): Response => {
    const known = toFailure(thrown);
    if (known.code === "internal") {
      log.error(
        { path: pathOf(request), error: messageOf(known.cause), stack: stackOf(known.cause) },
        "a request failed inside Corral",
      );
    }
    const response = hangUp(known, Response.json(known.body, { status: known.status }));
    response.headers.set(instanceHeader, instance);
    return response;
  };

  const addressOf = (request: Request, server: Pick<Server, "requestIP"> | null) =>
    addresses.get(request) ??
    parts.clientAddress(server?.requestIP(request)?.address ?? null, request.headers.get("x-forwarded-for"));

  const who: WhoAsks = (request, server) => whoOf(request.headers, addressOf(request, server));

  /** Lets through what everybody may, or who has the key; says in the log who used what not everybody may. */
  const guard = (request: Request, place: Place, server: Server | null): Response | null => {
    const { use } = place;
    if (use === null) return null;
    const allowed = parts.access.allows(request.headers);
    const client = addressOf(request, server);
    const fields = { use, method: request.method, path: pathOf(request).slice(0, LONGEST_LOGGED), client };
    log[allowed ? "info" : "warn"](fields, allowed ? "admin use" : "refused: no admin key, or a wrong one");
    return allowed ? null : unauthorized(request, place, request.headers.has("authorization"));
  };
  const unauthorized = (request: Request, place: Place, given: boolean): Response => {
    const refusal = failure.unauthorized(given);
    if (place.owner === "engine" && /^ollama\//.test(request.headers.get("user-agent") ?? "")) {
      // Ollama's command line takes every 401 for ollama.com's, tells people to sign in there, and ends with 0; of a
      // 403 it shows the words (tried on 0.33).
      return refusePassed(pathOf(request), failure.forbidden(refusal.message));
    }
    const response =
      place.owner === "engine" ? refusePassed(pathOf(request), refusal) : failed(request, refusal);
    response.headers.set(
      "www-authenticate",
      `Bearer realm="Corral"${given ? ', error="invalid_token"' : ""}`,
    );
    return response;
  };

  const app = new Elysia({ name: "corral" })
    // Before all that judges a path: what is judged must be what is routed.
    .onRequest(({ request, server, set }) => {
      const url = urlOf(request);
      if (url === null) return failed(request, failure.invalid("the Host and the path make no address"));
      if (routedPath(request.url) === url.pathname) return undefined;
      const clean = new Request(`http://localhost${url.pathname}${url.search}`, request);
      addresses.set(clean, addressOf(request, server));
      // Whoever calls without a proper Host closes its connection itself: there is no way back to its request.
      server?.timeout(request, 0);
      // The answer has its own.
      withoutCors(set.headers);
      return again(clean);
    })
    // Before cors, which would answer a foreign preflight.
    .onRequest(({ request, set, server }) => {
      const host = request.headers.get("host");
      const origin = request.headers.get("origin");
      if (parts.loopback && !hostAllowed(host, machine)) {
        const words =
          "this Host is not one of this machine's: Corral listens on loopback, call it as localhost";
        return failed(request, failure.forbidden(words));
      }
      if (origin !== null && !originAllowed(origin, host, parts.origins)) {
        return failed(
          request,
          failure.forbidden("pages of this Origin may not call: add it to CORS_ORIGINS"),
        );
      }
      // No browser's preflight, which the plug-in below would answer: it is Ollama that knows its methods.
      if (request.method === "OPTIONS" && origin === null && forEngine(request)) {
        withoutCors(set.headers);
        return carry(request, server);
      }
      return undefined;
    })
    .use(
      cors({
        origin: (request) => request.headers.get("origin") !== null,
        credentials: false,
        methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        // Named, or the preflight says "undefined" (traps.md).
        allowedHeaders,
        exposeHeaders: [instanceHeader, truncatedHeader],
        maxAge: preflightSeconds,
      }),
    )
    .onRequest(({ request, set, server }) => {
      const origin = request.headers.get("origin");
      // Without an Origin no browser asks, and the engine's headers go on as they are.
      if (origin === null) withoutCors(set.headers);
      try {
        const place = placeOf(request.method, pathOf(request));
        if (place.owner === "corral" && !place.methods.includes(request.method)) {
          set.headers.allow = place.methods.join(", ");
          throw failure.methodNotAllowed(request.method, place.path, place.methods);
        }
        const refused = guard(request, place, server);
        if (refused) return refused;
        places.set(request, place);
      } catch (error) {
        return failed(request, error);
      }
      return undefined;
    })
    .onError({ as: "global" }, ({ request, error }) => failed(request, error))
    .onAfterHandle({ as: "global" }, ({ request, set }) => {
      if (places.get(request)?.owner === "corral") set.headers[instanceHeader] = instance;
    })
    .use(healthRoutes(parts))
    .use(engineRoutes({ ...parts, who }))
    .use(statsRoutes(parts))
    .use(logRoutes(parts))
    .use(liveRoutes({ ...parts, active: gateway.active }))
    .use(requestRoutes({ ...parts, active: gateway.active }))
    .use(metricsRoutes({ ...parts, active: gateway.active, knownModels: gateway.knownModels }))
    .use(repositoryRoutes({ ...parts, client: engine.client }))
    .use(chatRoutes(carry))
    .use(ollamaRoutes({ ...parts, client: engine.client, who }))
    .use(eventRoutes(parts))
    .use(ledgerRoutes(parts))
    .use(dataRoutes(parts))
    .use(transferRoutes(parts))
    .use(sessionRoutes(parts))
    .use(settingsRoutes(parts))
    .use(docsRoutes(parts.version))
    .use(webRoutes())
    // What no route took: the engine's paths.
    .all("/*", ({ request, server }) => carry(request, server), {
      parse: "none",
      detail: { hide: true },
    });

  placeOf = createPaths(
    app.routes
      .filter(({ path, method }) => !path.includes("*") && method !== "OPTIONS" && path !== pluginPage)
      .map(({ path, method, hooks }) => ({ path, method, use: useOf(hooks) })),
    dialects,
  );
  again = (request) => app.handle(request);

  return app;
}

/** What a route's documentation says that it does. */
function useOf({ detail }: { readonly detail?: unknown }): Use | null {
  const mark = typeof detail === "object" && detail !== null && useMark in detail ? detail[useMark] : null;
  return uses.find((use) => use === mark) ?? null;
}

/** Lets a request's connection be silent while it is served: models load and think for minutes. @returns ends that */
function patience(request: Request, server: Server | null): () => void {
  server?.timeout(request, 0);
  return () => server?.timeout(request, IDLE_SECONDS);
}

function withoutCors(headers: Record<string, unknown>): void {
  for (const name of Object.keys(headers)) if (/^(access-control-|vary$)/.test(name)) delete headers[name];
}

function toFailure(thrown: unknown): Failure {
  if (thrown instanceof ValidationError && thrown.type !== "response") {
    const first = thrown.all[0];
    if (first && "path" in first) return failure.invalid(sayWrong(first.path, first.value, first.schema));
    return failure.invalid(messageOf(thrown));
  }
  if (thrown instanceof ParseError)
    return thrown.cause === undefined ? failure.invalid("the body can't be read") : asFailure(thrown.cause);
  return asFailure(thrown);
}

function stackOf(thrown: unknown): string | undefined {
  return thrown instanceof Error ? thrown.stack : undefined;
}
