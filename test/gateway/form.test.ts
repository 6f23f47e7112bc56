import { expect, test } from "bun:test";
import { readForm } from "../../src/gateway/dialects/form";
import { openAiTranscriptions } from "../../src/gateway/dialects/openai/transcriptions";

const sound = "RIFF\r\n--\u0000";
const sha256 = new Bun.CryptoHasher("sha256").update(sound).digest("hex");

async function written(...fields: [name: string, value: string | File][]) {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  const request = new Request("http://localhost", { method: "POST", body: form });
  return { type: request.headers.get("content-type"), bytes: new Uint8Array(await request.arrayBuffer()) };
}

test("a form is its fields: files as type, size and digest, the first of several with one name, as Ollama has it", async () => {
  const file = new File([sound], "a.wav", { type: "audio/wav" });
  const { type, bytes } = await written(["model", "one"], ["file", file], ["model", "two"]);
  const described = { type: expect.stringMatching(/^audio\//), bytes: sound.length, sha256 };
  expect(await readForm(bytes, type)).toEqual({ model: "one", file: described });
});

test("what is no form, or is cut off, has no fields, and does not throw", async () => {
  const { type, bytes } = await written(["model", "one"]);
  for (const [body, as] of [
    [bytes, null],
    [bytes, "application/json"],
    [bytes, "multipart/form-data"],
    [bytes.subarray(0, -30), type],
    [new Uint8Array(0), type],
  ] as const)
    expect(await readForm(new Uint8Array(body), as)).toBeUndefined();
});

test("a transcription is asked for by a model, a prompt, and all else as options, the sound among them", async () => {
  const { type, bytes } = await written(
    ["model", "m"],
    ["prompt", "Names: Ada."],
    ["stream", "true"],
    ["language", "en"],
    ["file", new File([sound], "a")],
  );
  const json = await readForm(bytes, type);
  const { options, ...asked } = openAiTranscriptions.ask({ bytes, compressed: false, json });
  expect(asked).toEqual({
    ...{ operation: "transcription", model: "m", stream: false, prompt: "Names: Ada.", user: null },
    ...{ system: null, messages: null, wrong: null },
  });
  expect(JSON.parse(options ?? "")).toMatchObject({ language: "en", file: { bytes: sound.length, sha256 } });
});
