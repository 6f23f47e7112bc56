/** Work on models that reports its progress: /api/pull, /api/push and /api/create. Faults count lines as they count tokens. */
import { findModel } from "./ask";
import { type Body, type GoFields, Refusal, readBody, textOf } from "./body";
import { insteadOf, jsonResponse } from "./faults";
import { goJson, isObject } from "./go-json";
import { isValidName, type Model } from "./models";
import { attended, play } from "./play";
import { random } from "./random";
import { Cut, shape, toStream } from "./stream";
import { Gone } from "./wait";
import type { World } from "./world";

type Line = {
  status?: string;
  digest?: string;
  total?: number;
  completed?: number | undefined;
  error?: string;
};

type Work = { model: Model; lines: Line[]; finish: () => void };

const failure = "max retries exceeded: simulated failure";
const unpushed = "open manifest: no such file or directory";
const steps = 10;
const defaultDelayMs = 2;

/** POST /api/pull */
export async function pull(world: World, request: Request): Promise<Response> {
  const { body, name } = await readWork(request, "api.PullRequest", "invalid model name");
  const missing = name.startsWith("missing");
  const model = world.shelf.find(name) ?? world.shelf.make(name);
  const lines = missing
    ? [{ status: "pulling manifest" }, { error: "pull model manifest: file does not exist" }]
    : pullLines(world, model);
  return await report(world, request, body, {
    model,
    lines,
    finish: () => world.shelf.add(name, model, Date.now()),
  });
}

/** POST /api/push: to nowhere */
export async function push(world: World, request: Request): Promise<Response> {
  const { body, name } = await readWork(request, "api.PushRequest", "model is required");
  const model = world.shelf.find(name);
  const lines = model
    ? [
        { status: "retrieving manifest" },
        ...layerLines(world, model, "pushing"),
        ...["pushing manifest", "success"].map((status) => ({ status })),
      ]
    : [{ status: "retrieving manifest" }, { status: "couldn't retrieve manifest" }, { error: unpushed }];
  const pushed = model ?? world.shelf.make(name);
  return await report(world, request, body, { model: pushed, lines, finish: () => {} });
}

/** POST /api/create, from a model that is there or from files that nobody looks at */
export async function create(world: World, request: Request): Promise<Response> {
  const { body, name } = await readWork(request, "api.CreateRequest", "invalid model name", {
    from: "string",
  });
  const from = textOf(body.fields.from);
  if (from === "" && !isObject(body.fields.files))
    return jsonResponse({ error: "neither 'from' or 'files' was specified" }, 400, "application/json");
  const model = from === "" ? world.shelf.make(name) : findModel(world, from);
  const lines = [
    { status: `using existing layer sha256:${model.digest}` },
    { status: "writing manifest" },
    { status: "success" },
  ];
  return await report(world, request, body, {
    model,
    lines,
    finish: () => world.shelf.add(name, model, Date.now()),
  });
}

/** @param goType what Ollama calls the body @param wrong what it says of a name that is none @throws Refusal */
async function readWork(
  request: Request,
  goType: string,
  wrong: string,
  types: GoFields = {},
): Promise<{ body: Body; name: string }> {
  const body = await readBody(request, goType, { ...types, model: "string", name: "string", stream: "bool" });
  const name = textOf(body.fields.model) || textOf(body.fields.name);
  if (!isValidName(name)) throw new Refusal(400, wrong);
  return { body, name };
}

function pullLines(world: World, model: Model): Line[] {
  const ends = ["verifying sha256 digest", "writing manifest", "success"].map((status) => ({ status }));
  return [{ status: "pulling manifest" }, ...layerLines(world, model, "pulling"), ...ends];
}

function layerLines(world: World, model: Model, doing: string): Line[] {
  const source = random(world.settings.seed, "layers", model.name);
  const layers = [model.size, 1_429, 59, 485].map((total) => ({ hex: source.hex(64), total }));
  return layers.flatMap(({ hex, total }, layer) => {
    const parts = layer === 0 ? steps : 1;
    return Array.from({ length: parts + 1 }, (_, part) => ({
      status: `${doing} ${hex.slice(0, 12)}`,
      digest: `sha256:${hex}`,
      total,
      completed: Math.floor((total * part) / parts) || undefined,
    }));
  });
}

async function report(world: World, request: Request, { fields }: Body, work: Work): Promise<Response> {
  const { behaviour } = work.model;
  const controller = new AbortController();
  const abandon = () => controller.abort();
  request.signal.addEventListener("abort", abandon, { once: true });
  try {
    const instead = await insteadOf(behaviour, controller.signal);
    if (instead) return instead();
    const lines = progress(world, work, controller.signal);
    if (fields.stream === false) return await lastOf(lines);
    const body = toStream(shape(written(lines), behaviour, world.settings.seed), abandon);
    return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
  } catch (error) {
    if (error instanceof Gone) throw new Refusal(499, "request canceled");
    throw error;
  }
}

async function* written(lines: AsyncGenerator<Line, void>): AsyncGenerator<string, void> {
  for await (const line of lines) yield `${goJson(line)}\n`;
}

function progress(world: World, work: Work, signal: AbortSignal): AsyncGenerator<Line, void> {
  const { half, end } = work.model.behaviour;
  const isLast = (line: Line) =>
    line.status === "success" || line.error !== undefined || half === true || end !== undefined;
  return attended(
    world,
    run(world, work, signal),
    isLast,
    "aborting pull due to client closing the connection",
  );
}

async function* run(world: World, work: Work, signal: AbortSignal): AsyncGenerator<Line, void> {
  const { behaviour } = work.model;
  for await (const step of play(world, behaviour, work.lines, behaviour.delay ?? defaultDelayMs, signal)) {
    if (step.type === "error") return yield { error: failure };
    if (step.type === "cut") throw new Cut();
    if (step.type === "end") return;
    if (step.item.status === "success") work.finish();
    yield step.item;
  }
}

async function lastOf(lines: AsyncGenerator<Line, void>): Promise<Response> {
  let last: Line = {};
  for await (const line of lines) last = line;
  return jsonResponse(last, last.error === undefined ? 200 : 500, "application/json");
}
