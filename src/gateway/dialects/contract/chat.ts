/**
 * The contract's chat: a `prompt` in, Server-Sent Events out. It is Ollama's `/api/chat` behind: the body is made anew,
 * and each frame with content becomes an event.
 */
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { type Failure, failure } from "../../../errors";
import { sayWrong } from "../../../schema";
import {
  type Asked,
  type Dialect,
  field,
  type Head,
  type Keep,
  noBytes,
  type Reply,
  textField,
} from "../dialect";
import { chatPiece } from "../ollama/chat";
import { NativeReader, type Piece } from "../ollama/native";
import { commentBeat, eventStream } from "../sse";

export const contractChatSchema = Type.Object(
  {
    model: Type.String({
      minLength: 1,
      maxLength: 350,
      description: "Name of an installed model",
      examples: ["llama3.2"],
    }),
    prompt: Type.String({
      minLength: 1,
      description: "What to say to it",
      examples: ["Explain quantum computing"],
    }),
    system: Type.Optional(Type.String({ description: "System prompt" })),
    temperature: Type.Optional(
      Type.Number({ minimum: 0, maximum: 2, description: "Randomness", examples: [0.7] }),
    ),
    top_p: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: "Nucleus sampling", examples: [0.9] }),
    ),
    top_k: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: "Only the k likeliest tokens" }),
    ),
    seed: Type.Optional(
      Type.Integer({ minimum: -2_147_483_648, maximum: 2_147_483_647, description: "Same seed, same reply" }),
    ),
    max_tokens: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: "Longest reply, in tokens" }),
    ),
    options: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "Ollama's own options; those above win over them",
      }),
    ),
    keep_alive: Type.Optional(
      Type.Union([Type.String(), Type.Number()], {
        description: "How long the model stays loaded, such as 5m",
      }),
    ),
  },
  { description: "A prompt for a model", additionalProperties: true },
);
type ContractChat = Static<typeof contractChatSchema>;

const encoder = new TextEncoder();

export const contractChat: Dialect = {
  name: "contract.chat",
  claims(body) {
    if (body.json !== undefined) {
      return field(body.json, "prompt") !== undefined && field(body.json, "messages") === undefined;
    }
    // What can't be read is the contract's if it looks like it, so that its sender is told where the JSON breaks.
    const text = new TextDecoder().decode(body.bytes.subarray(0, 10_000));
    return text.includes('"prompt"') && !text.includes('"messages"');
  },
  ask(body): Asked {
    const model = textField(body.json, "model");
    const { model: _model, prompt: _prompt, system: _system, ...rest } = Object(body.json ?? {});
    return {
      operation: "chat",
      model: model || null,
      stream: true,
      user: null,
      prompt: textField(body.json, "prompt"),
      system: textField(body.json, "system"),
      messages: null,
      options: Object.keys(rest).length > 0 ? JSON.stringify(rest) : null,
      wrong: whatIsWrong(body.json),
    };
  },
  outgoing(body, asked) {
    const chat = body.json as ContractChat;
    const options = {
      ...chat.options,
      ...given("temperature", chat.temperature),
      ...given("top_p", chat.top_p),
      ...given("top_k", chat.top_k),
      ...given("seed", chat.seed),
      ...given("num_predict", chat.max_tokens),
    };
    const system = asked.system === null ? [] : [{ role: "system", content: asked.system }];
    const out = {
      model: chat.model,
      messages: [...system, { role: "user", content: chat.prompt }],
      stream: true,
      options,
      ...given("keep_alive", chat.keep_alive),
    };
    return { path: "/api/chat", body: encoder.encode(JSON.stringify(out)) };
  },
  reply: (asked, head, keep) => new ContractReply(asked, head, keep),
  heartbeat: commentBeat,
  refuse: refuseContract,
};

/** The contract's error body. */
function refuseContract(failure: Failure): Response {
  return Response.json(failure.body, { status: failure.status });
}

class ContractReply implements Reply {
  readonly #reader: NativeReader;
  readonly #asked: Asked;
  readonly #engineStatus: number;
  #head: Head | null = null;
  #lastAt: number;
  #said = false;

  constructor(asked: Asked, head: Head, keep: Keep) {
    this.#asked = asked;
    this.#engineStatus = head.status;
    this.#lastAt = keep.arrivedAt;
    this.#reader = new NativeReader(head.status, head.status >= 400, keep, chatPiece);
  }

  get head(): Head | null {
    return this.#head;
  }
  get ended(): boolean {
    return this.#reader.ended;
  }

  /** Each chunk that goes out is of whole events. */
  readonly between = true;
  get pieces(): number {
    return this.#reader.pieces;
  }

  take(chunk: Uint8Array, at: number): Uint8Array {
    return this.#events(this.#reader.take(chunk, at), at, false);
  }

  finish(at: number): Uint8Array {
    return this.#events(this.#reader.finish(at), at, true);
  }

  fail(broken: Failure): Uint8Array {
    if (this.#said) return noBytes;
    this.#said = true;
    return encoder.encode(event({ error: broken.message, detail: broken.detail }));
  }

  told() {
    return this.#reader.told();
  }

  /** The events of some pieces; decides the status line with the engine's first words. */
  #events(pieces: readonly Piece[], at: number, finished: boolean): Uint8Array {
    if (this.#said) return noBytes;
    if (this.#head === null) {
      if (pieces.length === 0 && !this.ended && !finished && this.#reader.error === null) return noBytes;
      if (pieces.length === 0) return this.#refusal();
      this.#head = {
        status: 200,
        headers: eventStream(),
      };
    }
    let text = "";
    for (const piece of pieces) {
      if (!piece.text) continue;
      text += event({ token: piece.text, latency_ms: Math.round((at - this.#lastAt) * 10) / 10 });
      this.#lastAt = at;
    }
    if (this.ended) {
      this.#said = true;
      const { outcome, error, tokensIn, tokensOut } = this.#reader.told();
      text +=
        outcome === "complete" || outcome === "length"
          ? event({
              token: "[DONE]",
              latency_ms: 0,
              total_tokens:
                tokensIn === null && tokensOut === null ? null : (tokensIn ?? 0) + (tokensOut ?? 0),
            })
          : event({ error: error ?? "", detail: "Ollama answered with an error" });
    }
    return encoder.encode(text);
  }

  /** The engine's first words are no token: the answer is an error with a status of its own. */
  #refusal(): Uint8Array {
    this.#said = true;
    const words = this.#reader.error;
    const model = this.#asked.model ?? "";
    const refused =
      this.#engineStatus === 404
        ? failure.modelNotFound(model, words ?? `model '${model}' not found`)
        : failure.engineAnswer(
            // A full queue (503) is worth another try, and says so.
            (this.#engineStatus >= 400 && this.#engineStatus < 500) || this.#engineStatus === 503
              ? this.#engineStatus
              : 502,
            words ?? "Ollama answered with nothing",
          );
    const response = refuseContract(refused);
    this.#head = { status: response.status, headers: response.headers };
    return encoder.encode(JSON.stringify(refused.body));
  }
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function given(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value };
}

function whatIsWrong(json: unknown): Failure | null {
  if (json === undefined) return failure.invalid("the body is no JSON");
  if (!textField(json, "model") && (field(json, "model") === undefined || field(json, "model") === "")) {
    return failure.invalid("model parameter is required");
  }
  const first = Value.Errors(contractChatSchema, json).First();
  return first ? failure.invalid(sayWrong(first.path, first.value, first.schema)) : null;
}
