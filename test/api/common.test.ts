/** The contract's common query parameters, on the lists that are no logs. */
import { expect, test } from "bun:test";
import { describeCorral, eventually, getJson } from "../support/corral";

describeCorral("lists", (corral) => {
  const names = async (path: string, field: string) => {
    const answer = (await getJson(`${corral().url}${path}`)) as Record<string, { name: string }[]>;
    return (answer[field] ?? []).map((one) => one.name);
  };
  const used = (query: string) => names(`/api/models${query}`, "models");

  test("the use of models is sorted, filtered, limited and paged", async () => {
    for (const [model, times] of [
      ["sim-tokens2:a", 3],
      ["sim-tokens9:b", 2],
      ["sim-tokens5:c", 1],
    ] as const) {
      for (let time = 0; time < times; time++) {
        const body = JSON.stringify({ model, prompt: "hello" });
        await (await fetch(`${corral().url}/api/chat`, { method: "POST", body })).text();
      }
    }
    await eventually(
      async () => (await getJson(`${corral().url}/api/stats/current`)) as { total_requests: number },
      (answer) => answer.total_requests === 6,
    );
    expect(await used("")).toEqual(["sim-tokens2:a", "sim-tokens9:b", "sim-tokens5:c"]);
    expect(await used("?sort=total_tokens")).toEqual(["sim-tokens9:b", "sim-tokens2:a", "sim-tokens5:c"]);
    expect(await used("?sort=name&order=asc&limit=2")).toEqual(["sim-tokens2:a", "sim-tokens5:c"]);
    expect(await used("?sort=name&order=asc&limit=2&offset=2")).toEqual(["sim-tokens9:b"]);
    expect(await used("?sort=last_used")).toEqual(["sim-tokens5:c", "sim-tokens9:b", "sim-tokens2:a"]);
    expect(await used("?model=sim-tokens9:b&hours=1")).toEqual(["sim-tokens9:b"]);
  });

  test("what is installed, and the repository, come in pages where asked", async () => {
    await fetch(`${corral().url}/api/models/repository/sync`, { method: "POST" });
    for (const path of ["/api/ollama/models", "/api/models/repository"]) {
      const all = await names(path, "models");
      expect(all).toHaveLength(3);
      expect(await names(`${path}?limit=2`, "models")).toEqual(all.slice(0, 2));
      expect(await names(`${path}?limit=2&offset=2`, "models")).toEqual(all.slice(2));
    }
  });

  test("a wrong parameter is named, with what was given and what is accepted", async () => {
    for (const [path, words] of [
      ["/api/models?sort=size", "sort"],
      ["/api/models?hours=-1", "hours"],
      ["/api/models/repository?limit=abc", "limit"],
      ["/api/ollama/models?offset=-1", "offset"],
    ] as const) {
      const response = await fetch(corral().url + path);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        detail: "Invalid request parameters",
        error: expect.stringMatching(new RegExp(`^${words} is .*: it takes `)),
      });
    }
  });
});
