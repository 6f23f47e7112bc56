/** The list of models that is shipped with Corral: what is in it, and what finds what. */
import { describe, expect, test } from "bun:test";
import { createLibrary } from "../../src/api/ollama/library";
import shipped from "../../src/api/ollama/library.json";
import { silentLog } from "../../src/log";

// Nothing listens on port 1: the shipped list answers.
const library = createLibrary("http://127.0.0.1:1", silentLog);
const find = async (query: string) =>
  (await library.search(query, 1000, 0)).models.map((model) => model.name);
const models: {
  name: string;
  description: string;
  sizes: string[];
  tags: string[];
  capabilities: string[];
}[] = shipped.models;

describe("the shipped list", () => {
  test("holds a hundred models or so, each once", () => {
    expect(models.length).toBeGreaterThanOrEqual(100);
    expect(models.length).toBeLessThan(130);
    expect(new Set(models.map((model) => model.name)).size).toBe(models.length);
  });

  test("names them as a pull takes them, and says of each in one short sentence what it is", () => {
    for (const { name, description } of models) {
      expect(name).toMatch(/^[a-z0-9][a-z0-9.-]*[a-z0-9]$/);
      expect(description).toMatch(/^\S.{15,98}\.$/);
    }
    expect(new Set(models.map((model) => model.description)).size).toBe(models.length);
  });

  test("holds only what can be pulled: each model has tags, none is of the cloud, each size is a tag", () => {
    for (const { name, sizes, tags } of models) {
      expect([name, tags[0]]).toEqual([name, "latest"]);
      expect([name, new Set(tags).size]).toEqual([name, tags.length]);
      for (const tag of tags) {
        expect(tag).toMatch(/^[\w][\w.-]*$/);
        expect(tag).not.toMatch(/cloud|mlx|fp16|bf16|q\d_/i);
      }
      expect([name, sizes.filter((size) => !tags.includes(size))]).toEqual([name, []]);
    }
    const names = models.map((model) => model.name);
    for (const cloud of ["minimax-m2.7", "glm-5.1", "kimi-k2.6"]) expect(names).not.toContain(cloud);
  });

  test("says of a model only capabilities that Ollama has", () => {
    const known = ["vision", "tools", "thinking", "embedding", "audio", "insert"];
    for (const { name, capabilities } of models)
      expect([name, capabilities.filter((one) => !known.includes(one))]).toEqual([name, []]);
  });

  test("is dated, in the file and in an answer", async () => {
    expect(shipped.date).toMatch(/^20\d\d-[01]\d-[0-3]\d$/);
    expect(Date.parse(shipped.date)).toBeLessThan(Date.now());
    expect(shipped.source).toContain(shipped.date);
    expect(await library.search("", 1, 0)).toMatchObject({ source: "shipped", as_of: shipped.date });
  });

  test("is answered whole to an empty question, by popularity, page by page", async () => {
    expect(await find("")).toEqual(models.map((model) => model.name));
    const page = await library.search("", 3, 2);
    expect(page.models.map((model) => model.name)).toEqual(models.slice(2, 5).map((model) => model.name));
    expect(page.total).toBe(models.length);
  });

  test("finds by capability", async () => {
    for (const capability of ["embedding", "vision", "thinking", "audio", "insert"])
      expect(await find(capability)).toEqual(
        expect.arrayContaining(
          models.filter((model) => model.capabilities.includes(capability)).map((model) => model.name),
        ),
      );
    expect(await find("embedding")).not.toContain("llama3.1");
    expect(await find("insert")).toContain("qwen2.5-coder");
  });

  test("finds by name and size, and 8b is not a part of 1.8b", async () => {
    const found = await find("llama 8b");
    expect(found).toEqual(expect.arrayContaining(["llama3.1", "llama3"]));
    expect(found).not.toContain("llama3.2");
    expect(await find("Qwen 8B")).toContain("qwen3");
    // It has 1.8b, and none of 8b.
    expect(await find("qwen 8b")).not.toContain("qwen");
    expect(await find("8x7b")).toEqual(expect.arrayContaining(["mixtral", "dolphin-mixtral"]));
  });

  test("finds by words of the description and by tags", async () => {
    expect(await find("intel mistral")).toContain("neural-chat");
    expect(await find("maverick")).toContain("llama4");
    expect(await find("no such model at all")).toEqual([]);
    expect(await find("/")).toEqual([]);
  });

  test("finds a model by its name with a tag, a namespace or a registry, and puts it first", async () => {
    for (const name of [
      "llama3.2:3b",
      "llama3.2:latest",
      "LLAMA3.2:3b-instruct-q4_K_M",
      "library/llama3.2",
      "registry.ollama.ai/library/llama3.2:1b",
    ])
      expect([name, (await find(name))[0]]).toEqual([name, "llama3.2"]);
    expect((await find("phi"))[0]).toBe("phi");
    expect(await find("llama:405b")).toContain("llama3.1");
  });

  test("holds the contract's example", async () => {
    expect((await find("neural-chat"))[0]).toBe("neural-chat");
    expect(models.find((model) => model.name === "neural-chat")).toMatchObject({
      sizes: ["7b"],
      tags: expect.arrayContaining(["latest", "7b"]),
    });
  });

  test("describes a model that it holds, under any tag, and no other", () => {
    expect(library.describe("neural-chat")).toContain("Intel");
    expect(library.describe("neural-chat:7b")).toBe(library.describe("neural-chat"));
    for (const name of ["someone/neural-chat", "no-such-model", ""]) expect(library.describe(name)).toBe("");
  });
});
