/** What is running now is looked at no more often than somebody can see. */
import { expect, test } from "bun:test";
import { Active } from "../../src/gateway/active";

test("who listens is told of a thousand requests that begin together after one look at each", async () => {
  const active = new Active();
  const told = new Set<string>();
  let looks = 0;
  const leave = active.onMove(({ id }) => told.add(id));
  const begin = (id: string) => {
    active.add({
      id,
      stop: () => {},
      over: () => {},
      look: () => {
        looks++;
        return {
          ...{ id, startedAt: new Date(), model: "llama3.2", dialect: "ollama.chat", operation: "chat" },
          ...{ stream: true, clientAddress: null, userAgent: null, user: null },
          ...{ phase: "prefill", seconds: 0, pieces: 0 },
        };
      },
    });
    active.tell(id);
  };
  for (let count = 0; count < 1000; count++) begin(String(count));
  await new Promise(setImmediate);
  expect([told.size, looks]).toEqual([1000, 1000]);
  active.tell("7");
  active.remove("7");
  leave();
  begin("more");
  await new Promise(setImmediate);
  expect(told.size).toBe(1000);
});
