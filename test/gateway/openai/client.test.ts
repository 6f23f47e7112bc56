/** OpenAI's own client with Corral for its server, and what is on record of it. */
import { describe, expect, test } from "bun:test";
import OpenAI, { APIError } from "openai";
import { describeCorral, eventually } from "../../support/corral";
import { engineState, record } from "../asking";

const weather = {
  name: "get_weather",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};
const user = (content: string) => [{ role: "user" as const, content }];
const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describeCorral("OpenAI's own client", (corral) => {
  const client = () => new OpenAI({ baseURL: `${corral().url}/v1`, apiKey: "any", maxRetries: 0 });

  /** The texts of the chunks, and how many chunks there were. */
  async function read(stream: AsyncIterable<OpenAI.ChatCompletionChunk>) {
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return { chunks, text: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("") };
  }

  describe("chats", () => {
    test("whole, and the record has the talk, its figures and who asked", async () => {
      const model = "sim-tokens5:openai-whole";
      const reply = await client().chat.completions.create({
        model,
        messages: [{ role: "system", content: "Be brief." }, ...user("hello there")],
        user: "ada",
        temperature: 0.5,
      });
      expect(await record(corral(), model)).toMatchObject({
        dialect: "openai.chat",
        operation: "chat",
        stream: false,
        prompt: "hello there",
        response: reply.choices[0]?.message.content,
        tokens_in: 4,
        tokens_out: 5,
        finish_reason: "stop",
        outcome: "complete",
        ttft_ms: null,
        load_ms: null,
        user: "ada",
      } as never);
    });

    test("in a stream that is counted though it did not ask for that, and that it does not see", async () => {
      const model = "sim-tokens5-delay20:openai-stream";
      const { chunks, text } = await read(
        await client().chat.completions.create({ model, messages: user("hello there"), stream: true }),
      );
      expect(chunks.filter((chunk) => chunk.usage || chunk.choices.length === 0)).toEqual([]);
      const kept = await record(corral(), model);
      expect(kept).toMatchObject({
        stream: true,
        response: text,
        tokens_in: 2,
        tokens_out: 5,
        outcome: "complete",
      });
      expect(kept.ttft_ms).toBeGreaterThanOrEqual(20);
      expect(kept).toMatchObject({ longest_gap_ms: expect.any(Number) } as never);
      expect((await engineState(corral())).last?.body).toMatchObject({
        stream_options: { include_usage: true },
      });
    });

    test("and sees the usage where it asks for it", async () => {
      const model = "sim-tokens3:openai-usage";
      const { chunks } = await read(
        await client().chat.completions.create({
          model,
          messages: user("hi"),
          stream: true,
          stream_options: { include_usage: true },
        }),
      );
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 3 } });
      expect(await record(corral(), model)).toMatchObject({ tokens_in: 1, tokens_out: 3 });
    });

    test("up to max_tokens, and thinks", async () => {
      const model = "sim-think-tokens30:openai";
      const { text } = await read(
        await client().chat.completions.create({
          model,
          messages: user("hi"),
          stream: true,
          max_tokens: 12,
        }),
      );
      const kept = await record(corral(), model);
      expect(kept).toMatchObject({
        outcome: "length",
        status: "success",
        finish_reason: "length",
        response: text,
      });
      expect(kept.thinking).not.toBeEmpty();
      expect(kept.tokens_out).toBe(12);
    });

    test("calls tools, streamed and whole", async () => {
      const tools = [{ type: "function" as const, function: weather }];
      const asked = { messages: user("weather?"), tools };
      const whole = await client().chat.completions.create({ ...asked, model: "sim-tools:openai-whole" });
      expect(whole.choices[0]).toMatchObject({
        finish_reason: "tool_calls",
        message: { tool_calls: [{ type: "function", function: { name: "get_weather" } }] },
      });
      const stream = client().chat.completions.stream({ ...asked, model: "sim-tools:openai-stream" });
      const final = await stream.finalChatCompletion();
      expect(final.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: "get_weather" } });
      for (const model of ["sim-tools:openai-whole", "sim-tools:openai-stream"])
        expect(await record(corral(), model)).toMatchObject({
          finish_reason: "tool_calls",
          outcome: "complete",
        });
    });

    test("in a format, and the reply is JSON", async () => {
      const schema = {
        name: "answer",
        schema: { type: "object", properties: { answer: { type: "string" } } },
      };
      const reply = await client().chat.completions.create({
        model: "sim-tokens9:openai-format",
        messages: user("answer"),
        response_format: { type: "json_schema", json_schema: schema },
      });
      expect(JSON.parse(reply.choices[0]?.message.content ?? "")).toHaveProperty("answer");
    });

    test("with an image, whose bytes reach the engine", async () => {
      const url = `data:image/png;base64,${pixel}`;
      const model = "sim-tokens2:openai-image";
      const content = [
        { type: "text" as const, text: "what is it?" },
        { type: "image_url" as const, image_url: { url } },
      ];
      await client().chat.completions.create({ model, messages: [{ role: "user", content }] });
      expect((await engineState(corral())).last?.body).toMatchObject({ messages: [{ content }] });
      expect(await record(corral(), model)).toMatchObject({ prompt: "what is it?" });
    });

    test("until it leaves, which stops the engine", async () => {
      const model = "sim-tokens1000-delay20:openai-abort";
      const before = (await engineState(corral())).aborted;
      const stream = await client().chat.completions.create({ model, messages: user("hi"), stream: true });
      let seen = 0;
      for await (const _ of stream) if (++seen === 3) break;
      expect(await record(corral(), model)).toMatchObject({ outcome: "client_abort", tokens_out: null });
      await eventually(
        () => engineState(corral()),
        ({ aborted }) => aborted === before + 1,
      );
    });
  });

  test("completes, streamed and whole", async () => {
    const prompt = "Once upon";
    const whole = await client().completions.create({ model: "sim-tokens4:openai-text", prompt });
    expect(await record(corral(), "sim-tokens4:openai-text")).toMatchObject({
      dialect: "openai.completions",
      operation: "completion",
      prompt,
      response: whole.choices[0]?.text,
      tokens_in: 2,
      tokens_out: 4,
    } as never);
    const model = "sim-tokens4:openai-text-stream";
    let text = "";
    for await (const chunk of await client().completions.create({ model, prompt, stream: true }))
      text += chunk.choices[0]?.text ?? "";
    // Uncounted: to ask for usage would change every chunk.
    expect(await record(corral(), model)).toMatchObject({
      response: text,
      tokens_in: null,
      tokens_out: null,
      outcome: "complete",
    });
    expect((await engineState(corral())).last?.body).not.toHaveProperty("stream_options");
  });

  test("embeds one text and several", async () => {
    const model = "nomic-embed-text";
    const one = await client().embeddings.create({ model, input: ["alpha beta", "gamma"] });
    expect(one.data).toHaveLength(2);
    expect(one.data[0]?.embedding.length).toBeGreaterThan(10);
    expect(await record(corral(), model)).toMatchObject({
      dialect: "openai.embeddings",
      operation: "embedding",
      prompt: "alpha beta\ngamma",
      response: null,
      tokens_in: 3,
      tokens_out: null,
      outcome: "complete",
    } as never);
  });

  describe("transcribes", () => {
    const sound = Buffer.from("RIFF sound");
    const file = () => new File([sound], "sky.wav", { type: "audio/wav" });

    test("a sound, which is on record as what it is and not as bytes", async () => {
      const model = "sim-tokens5:openai-sound";
      const asked = { model, language: "en", prompt: "The sky.", temperature: 0 };
      // The client leaves it a text, since Ollama calls it NDJSON.
      const reply: unknown = await client().audio.transcriptions.create({ ...asked, file: file() });
      expect(await record(corral(), model)).toMatchObject({
        ...{ dialect: "openai.transcriptions", operation: "transcription", outcome: "complete" },
        ...{ prompt: "The sky.", response: JSON.parse(String(reply)).text, stream: false, ttft_ms: null },
        ...{ tokens_in: null, tokens_out: null, finish_reason: null },
      } as never);
      const described = {
        type: expect.stringMatching(/^audio\//),
        bytes: sound.length,
        sha256: new Bun.CryptoHasher("sha256").update(sound).digest("hex"),
      };
      // What the engine heard is what was sent.
      expect((await engineState(corral())).last).toMatchObject({
        path: "/v1/audio/transcriptions",
        body: { ...asked, temperature: "0", file: described },
      });
    });

    test("as bare text", async () => {
      const model = "sim-tokens5:openai-bare";
      const text: unknown = await client().audio.transcriptions.create({
        ...{ model, file: file(), response_format: "text" },
      });
      expect(text).toMatch(/^\w/);
      expect(await record(corral(), model)).toMatchObject({ response: text, outcome: "complete" } as never);
    });

    test("unless the engine fails: an empty answer of Ollama's is an error", async () => {
      for (const response_format of ["json", "text"] as const) {
        const model = `sim-error3-tokens9:openai-${response_format}`;
        const failed = client().audio.transcriptions.create({ model, file: file(), response_format });
        expect(await failed.catch((thrown) => thrown)).toMatchObject({ status: 502, code: "engine_error" });
        expect(await record(corral(), model)).toMatchObject({ outcome: "engine_error", http_status: 502 });
      }
    });
  });

  describe("responds", () => {
    test("whole, to a text and to items", async () => {
      const model = "sim-tokens5:openai-response";
      const reply = await client().responses.create({
        model,
        instructions: "Be brief.",
        input: "hello there",
      });
      expect(await record(corral(), model)).toMatchObject({
        dialect: "openai.responses",
        operation: "chat",
        prompt: "hello there",
        response: reply.output_text,
        tokens_in: 4,
        tokens_out: 5,
        tokens_cached: null,
        outcome: "complete",
      } as never);
    });

    test("in a stream, with thinking and with tools", async () => {
      const model = "sim-think-tokens9:openai-response";
      let text = "";
      for await (const event of await client().responses.create({
        model,
        input: "hello there",
        stream: true,
      }))
        if (event.type === "response.output_text.delta") text += event.delta;
      const kept = await record(corral(), model);
      expect(kept).toMatchObject({ response: text, tokens_in: 2, tokens_out: 9, stream: true });
      expect(kept.thinking).not.toBeEmpty();
      expect(kept.ttft_ms).not.toBeNull();
      const tool = { type: "function" as const, strict: false, ...weather };
      const stream = client().responses.stream({
        model: "sim-tools:openai-response",
        input: "weather?",
        tools: [tool],
      });
      expect((await stream.finalResponse()).output[0]).toMatchObject({
        type: "function_call",
        name: "get_weather",
      });
      expect((await record(corral(), "sim-tools:openai-response")).outcome).toBe("complete");
    });
  });

  test("lists models", async () => {
    const names = (await client().models.list()).data.map(({ id }) => id);
    expect(names).toContain("llama3.2:latest");
  });

  test("is told what is wrong, in its own classes of error", async () => {
    const chat = (model: string, messages = user("hi")) =>
      client()
        .chat.completions.create({ model, messages })
        .then(
          () => null,
          (error: unknown) => error,
        );
    expect(await chat("nope:openai")).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await chat("sim-tokens1:openai-empty", [])).toBeInstanceOf(OpenAI.BadRequestError);
    expect(await chat("sim-http503:openai")).toBeInstanceOf(OpenAI.InternalServerError);
    expect(await record(corral(), "nope:openai")).toMatchObject({ outcome: "rejected", http_status: 404 });
  });

  test("is told of an error in the middle of a stream, whatever it reads", async () => {
    const first = "Ollama ended its answer in the middle";
    const error = async (model: string) => {
      const reading = client()
        .chat.completions.create({ model: `${model}:openai-chat`, messages: user("hi"), stream: true })
        .then(read);
      const responding = client()
        .responses.create({ model: `${model}:openai-response`, input: "hi", stream: true })
        .then(async (stream) => {
          for await (const _ of stream);
        });
      for (const done of await Promise.allSettled([reading, responding])) {
        const thrown: unknown = done.status === "rejected" ? done.reason : null;
        expect(thrown).toBeInstanceOf(APIError);
        expect(thrown).toMatchObject({ message: expect.stringContaining(first), code: "engine_error" });
      }
      for (const tag of ["openai-chat", "openai-response"])
        expect(await record(corral(), `${model}:${tag}`)).toMatchObject({
          outcome: "engine_error",
          http_status: 200,
          error: expect.stringContaining(first),
          response: expect.stringMatching(/./),
        } as never);
    };
    await Promise.all([error("sim-error3-tokens9"), error("sim-end3-tokens9")]);
  });
});
