/** What people note about models. */
import { expect, test } from "bun:test";
import { eachCorral, getJson } from "../support/corral";
import { curl, send } from "./calls";

interface Model {
  readonly name: string;
  readonly description: string;
  readonly is_default: boolean;
  readonly is_installed: boolean;
  readonly created_at: string;
  readonly updated_at: string;
}

eachCorral("the model repository", (corral) => {
  const base = () => `${corral().url}/api/models/repository`;
  const list = async () => ((await getJson(base())) as { models: Model[] }).models;
  const defaults = async () => (await list()).filter((model) => model.is_default).map((model) => model.name);

  test("takes a name as `name` or `model_name`, once", async () => {
    expect((await send("POST", base(), { name: "alpha" })).status).toBe(201);
    expect((await send("POST", base(), { model_name: "beta:latest" })).status).toBe(201);
    const again = await send("POST", base(), { name: "alpha:latest" });
    expect(again.status).toBe(409);
    expect(await again.json()).toEqual({
      detail: "Conflict",
      error: "model 'alpha' is in the repository already: change it with PUT",
    });
    expect((await list()).map((model) => model.name)).toEqual(["alpha", "beta"]);
  });

  test("a refused model does not take the default from another", async () => {
    await send("PUT", `${base()}/alpha`, { is_default: true });
    expect((await send("POST", base(), { name: "beta", is_default: true })).status).toBe(409);
    expect(await defaults()).toEqual(["alpha"]);
  });

  test("the default moves from one to the other", async () => {
    await send("PUT", `${base()}/beta`, { is_default: true });
    expect(await defaults()).toEqual(["beta"]);
    await send("PUT", `${base()}/beta`, { is_default: false });
    expect(await defaults()).toEqual([]);
  });

  test("many who set a default at the same moment are all served, and one default is left", async () => {
    await send("POST", base(), { name: "gamma" });
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all([
        ...["alpha", "beta", "gamma"].flatMap((name) => [
          send("PUT", `${base()}/${name}`, { is_default: true }),
          send("PUT", `${base()}/${name}`, { is_favorite: true, is_default: true }),
        ]),
        send("POST", `${base()}/sync`),
      ]);
      expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
      expect(await defaults()).toHaveLength(1);
    }
  });

  test("PUT changes only what is given", async () => {
    await send("PUT", `${base()}/alpha`, { description: "mine", tags: ["a"], is_favorite: false });
    const before = (await getJson(`${base()}/alpha`)) as Model;
    expect((await send("PUT", `${base()}/alpha`, { tags: ["b", "c"] })).status).toBe(200);
    const after = (await getJson(`${base()}/alpha`)) as Model;
    expect(after).toEqual({ ...before, tags: ["b", "c"], updated_at: after.updated_at } as Model);
    expect((await send("PUT", `${base()}/alpha`, { tags: [], description: "" })).status).toBe(200);
    expect(await getJson(`${base()}/alpha`)).toMatchObject({ tags: [], description: "" });
    const unknown = await send("PUT", `${base()}/nobody`, {});
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ detail: "Model not found", model: "nobody" });
  });

  test("names with slashes and tags are taken plain and encoded", async () => {
    const name = "hf.co/owner/model:Q4_K_M";
    expect((await send("POST", base(), { name })).status).toBe(201);
    for (const path of [name, encodeURIComponent(name), "hf.co/owner%2Fmodel:Q4_K_M"]) {
      const { status, json } = await curl("--path-as-is", `${base()}/${path}`);
      expect([path, status, (json as Model).name]).toEqual([path, 200, name]);
    }
    expect((await send("PUT", `${base()}/${name}`, { description: "plain" })).status).toBe(200);
    expect((await send("PUT", `${base()}/${encodeURIComponent(name)}`, { is_favorite: true })).status).toBe(
      200,
    );
    expect(await getJson(`${base()}/${name}`)).toMatchObject({ description: "plain", is_favorite: true });
    expect((await send("DELETE", `${base()}/${name}`)).status).toBe(200);
    expect((await send("DELETE", `${base()}/${encodeURIComponent(name)}`)).status).toBe(404);
  });

  test("a description of 2,000 characters is taken, in any script", async () => {
    for (const character of ["x", "é", "馬"]) {
      const description = character.repeat(2000);
      expect((await send("PUT", `${base()}/alpha`, { description })).status).toBe(200);
      expect(await getJson(`${base()}/alpha`)).toMatchObject({ description });
    }
  });

  test("a sync adds what is installed, marks what is gone, and keeps what people wrote", async () => {
    await send("POST", `${base()}/sync`);
    await send("PUT", `${base()}/mistral`, { description: "my own words" });
    await send("DELETE", `${corral().url}/api/ollama/models/mistral`);
    const gone = await (await send("POST", `${base()}/sync`)).json();
    expect(gone).toMatchObject({ success: true, added: [], updated: [], removed: ["mistral"] });
    expect(await getJson(`${base()}/mistral`)).toMatchObject({
      is_installed: false,
      description: "my own words",
    });
    await (await send("POST", `${corral().url}/api/ollama/pull`, { model: "mistral" })).text();
    const back = await (await send("POST", `${base()}/sync`)).json();
    expect(back).toMatchObject({ added: [], updated: ["mistral"], removed: [] });
    expect(back.models).toEqual(await list());
    expect(await getJson(`${base()}/mistral`)).toMatchObject({
      is_installed: true,
      description: "my own words",
      stats: { total_requests: 0, avg_latency_ms: null },
    });
  });

  test("data that is deleted leaves the repository alone", async () => {
    const before = await list();
    await send("DELETE", `${corral().url}/api/data/all`);
    expect(await list()).toEqual(before);
  });
});
