/** Embeddings, in Ollama's new and old form and in OpenAI's. */
import { answer } from "./answer";
import { findModel, noteArrival, wholeDialect, withoutReply } from "./ask";
import { EarlyRefusal, keepAliveOf, numberOf, Refusal, readBody, readForeignBody, textOf } from "./body";
import type { Timing } from "./generate";
import { goJson, isObject } from "./go-json";
import type { Model } from "./models";
import { countTokens, embedding } from "./text";
import type { World } from "./world";

/** POST /api/embed */
export async function embed(world: World, request: Request): Promise<Response> {
  const body = await readBody(request, "api.EmbedRequest", { model: "string", dimensions: "int" });
  const { fields } = body;
  noteArrival(world, request, body);
  const name = textOf(fields.model);
  const texts = inputsOf(fields.input);
  const model = findEmbedder(world, name);
  const dimensions = numberOf(fields.dimensions);
  const whole = (timing: Timing) =>
    goJson({
      model: name,
      embeddings: texts.map((text) => normalised(vector(world, model, text), dimensions)),
      total_duration: texts.length > 0 ? timing.total : undefined,
      load_duration: texts.length > 0 ? timing.load : undefined,
      prompt_eval_count: texts.length > 0 ? timing.promptCount : undefined,
    });
  if (fields.truncate === false) checkLength(model, texts, fields.options);
  if (texts.length > 0) checkEmbeds(model, 501);
  return await embedAnswer(world, request, { model, texts, fields, whole, type: native });
}

/** POST /api/embeddings, the old form: one text, a vector that is not normalised. */
export async function embeddings(world: World, request: Request): Promise<Response> {
  const body = await readBody(request, "api.EmbeddingRequest", { model: "string", prompt: "string" });
  const { fields } = body;
  noteArrival(world, request, body);
  const model = findEmbedder(world, textOf(fields.model), new Refusal(400, "model is required"));
  const text = textOf(fields.prompt);
  if (text !== "") checkEmbeds(model, 500);
  const whole = () => goJson({ embedding: text === "" ? [] : vector(world, model, text) });
  return await embedAnswer(world, request, { model, texts: [text], fields, whole, type: native });
}

/** POST /v1/embeddings */
export async function openaiEmbeddings(world: World, request: Request): Promise<Response> {
  const types = { model: "string", dimensions: "int", encoding_format: "string" };
  const body = await readForeignBody(request, "openai.EmbedRequest", types);
  const { fields } = body;
  noteArrival(world, request, body);
  const format = textOf(fields.encoding_format).toLowerCase();
  if (!["", "float", "base64"].includes(format)) {
    throw new EarlyRefusal(
      400,
      `Invalid value for 'encoding_format' = ${textOf(fields.encoding_format)}. Supported values: ['float', 'base64'].`,
    );
  }
  const { input } = fields;
  if (input === undefined || input === null || (Array.isArray(input) && input.length === 0)) {
    throw new EarlyRefusal(400, "invalid input");
  }
  const name = textOf(fields.model);
  const texts = input === "" ? [""] : inputsOf(input);
  const model = findEmbedder(world, name);
  checkEmbeds(model, 501);
  const whole = (timing: Timing) => {
    const data = texts.map((text, index) => {
      const numbers = normalised(vector(world, model, text), numberOf(fields.dimensions));
      const shown =
        format === "base64" ? Buffer.from(new Float32Array(numbers).buffer).toString("base64") : numbers;
      return { object: "embedding", embedding: shown, index };
    });
    const usage = { prompt_tokens: timing.promptCount, total_tokens: timing.promptCount };
    return `${goJson({ object: "list", data, model: name, usage })}\n`;
  };
  return await embedAnswer(world, request, { model, texts, fields, whole, type: "application/json" });
}

const native = "application/json; charset=utf-8";

type Order = {
  model: Model;
  texts: string[];
  fields: Record<string, unknown>;
  whole: (timing: Timing) => string;
  type: string;
};

/** An embedding is a reply without tokens; so it has the same loading, times and faults. */
async function embedAnswer(world: World, request: Request, order: Order): Promise<Response> {
  const options = isObject(order.fields.options) ? order.fields.options : {};
  const ask = withoutReply({
    model: order.model,
    prompt: { identity: order.model.name, lastUserText: "", tools: [], think: false, json: false },
    // Each loses its end where it is too long.
    promptTokens: (contextLength) =>
      order.texts.reduce((sum, text) => sum + Math.min(countTokens(text), contextLength), 0),
    limit: undefined,
    contextLength: numberOf(options.num_ctx),
    keepAliveMs: keepAliveOf(order.fields.keep_alive),
  });
  const dialect = wholeDialect(order.type, ({ timing }) => order.whole(timing));
  return await answer(world, { ask, dialect, stream: false }, request);
}

function findEmbedder(world: World, name: string, missing?: Refusal): Model {
  try {
    return findModel(world, name, missing);
  } catch (error) {
    // These routes find the model later than others do, and word it differently.
    if (!(error instanceof Refusal) || error.status !== 404 || name === "") throw error;
    throw new Refusal(404, `model ${JSON.stringify(name)} not found, try pulling it first`);
  }
}

/** @throws Refusal in the words of the engine itself, which serves other models in another way */
function checkEmbeds(model: Model, status: number): void {
  if (model.capabilities.includes("embedding")) return;
  throw new Refusal(status, "This server does not support embeddings. Start it with `--embeddings`");
}

/** @throws Refusal for a text that would have to be cut */
function checkLength(model: Model, texts: readonly string[], options: unknown): void {
  const asked = isObject(options) ? numberOf(options.num_ctx) : undefined;
  const most = Math.min(asked ?? model.contextLength, model.contextLength);
  if (texts.some((text) => countTokens(text) > most))
    throw new Refusal(400, "the input length exceeds the context length");
}

function inputsOf(input: unknown): string[] {
  if (input === undefined || input === null || input === "") return [];
  const items: unknown[] = Array.isArray(input) ? input : [input];
  const texts = items.filter((item) => typeof item === "string");
  if (texts.length < items.length) throw new Refusal(400, "invalid input type");
  return texts;
}

function vector(world: World, model: Model, text: string): number[] {
  return embedding(`${model.name}\n${text}`, model.embeddingLength, world.settings.seed);
}

function normalised(numbers: number[], dimensions: number | undefined): number[] {
  const kept = dimensions !== undefined && dimensions > 0 ? numbers.slice(0, dimensions) : numbers;
  const length = Math.sqrt(kept.reduce((sum, number) => sum + number * number, 0));
  return kept.map((number) => Number((number / Math.max(length, 1e-12)).toPrecision(7)));
}
