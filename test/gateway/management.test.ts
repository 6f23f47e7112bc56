/** What is read of work on models as it passes: the name, however it is written, and how it ended. */
import { expect, test } from "bun:test";
import { failure } from "../../src/errors";
import { actionOf, Management } from "../../src/gateway/management";
import type { EventAction, ModelEvent } from "../../src/ledger/event";
import { silentLog } from "../../src/log";

const encoder = new TextEncoder();

/** The event of a request whose body comes in such pieces, and whose reply is one line. */
function eventOf(action: EventAction, body: string, reply = '{"status":"success"}', pieceSize = 7) {
  const events: ModelEvent[] = [];
  const management = new Management(
    action,
    new Request("http://localhost/", { method: "POST" }),
    `/api/${action}`,
    { put: (event) => events.push(event), log: silentLog, clientAddress: "192.168.1.2" },
  );
  const bytes = encoder.encode(body);
  for (let at = 0; at < bytes.length; at += pieceSize) management.sent(bytes.subarray(at, at + pieceSize));
  management.take(encoder.encode(reply));
  management.finish();
  management.finish();
  management.end("client_abort", null);
  management.failed(failure.stopping());
  expect(events).toHaveLength(1);
  return events[0];
}

test("the path tells the action as Ollama's router reads it, to the letter", () => {
  for (const path of ["/api/pull", "/api/%70ull", "/%61pi/pull"]) expect(actionOf("POST", path)).toBe("pull");
  expect(actionOf("DELETE", "/api/delete")).toBe("delete");
  for (const [method, path] of [
    ["GET", "/api/pull"],
    ["POST", "/api/delete"],
    ["POST", "/api/pull/"],
    ["POST", "/api//pull"],
    ["POST", "/api/Pull"],
    ["POST", "/api/pull%"],
    ["POST", "/api/tags"],
    ["OPTIONS", "/api/pull"],
  ] as const)
    expect([path, actionOf(method, path)]).toEqual([path, null]);
});

test("the model is known by its new name, its old one, in any case, and without :latest", () => {
  for (const body of [
    '{"model":"llama3.2"}',
    '{"name":"llama3.2:latest"}',
    '{"MODEL":"llama3.2"}',
    '{"model":"other","Model":"llama3.2"}',
    '{"model":"","name":"llama3.2"}',
    '{"model":"llama3.2","Model":null}',
  ])
    for (const action of ["pull", "push", "create", "delete"] as const)
      expect([body, eventOf(action, body)?.model]).toEqual([body, "llama3.2"]);
  expect(eventOf("copy", '{"source":"a:latest","destination":"b:latest"}')).toMatchObject({
    model: "b",
    source: "a",
  });
  expect(eventOf("create", '{"model":"b","from":"a","insecure":true}')).toMatchObject({
    source: "a",
    insecure: null,
  });
});

test("what is no body of the kind names no model, and nothing breaks", () => {
  for (const body of ["", "null", "[]", "3", '"model"', "{", '{"model":3}', '{"model":["a"]}', "\u0000"])
    for (const action of ["pull", "copy"] as const)
      expect([body, eventOf(action, body)?.model]).toEqual([body, null]);
});

test("of a huge body the beginning is read", () => {
  const text = "x".repeat(3_000_000);
  expect(eventOf("create", `{"model":"big","system":"${text}"}`, undefined, 100_000)?.model).toBe("big");
  expect(eventOf("create", `{"system":"${text}","model":"big"}`, undefined, 100_000)?.model).toBeNull();
});

test("the first end counts, and a reply that says none has broken off", () => {
  const pull = '{"model":"a"}';
  expect(eventOf("pull", pull)).toMatchObject({ outcome: "complete", error: null, bytes: null });
  expect(
    eventOf("pull", pull, '{"status":"x","digest":"d","total":9,"completed":4}\n{"error":"no"}\n'),
  ).toMatchObject({
    outcome: "engine_error",
    error: "no",
    bytes: 4,
  });
  // The last count of a layer that Ollama tells is of a moment before its end.
  expect(
    eventOf("pull", pull, '{"status":"x","digest":"d","total":9,"completed":4}\n{"status":"success"}\n'),
  ).toMatchObject({ outcome: "complete", bytes: 9 });
  for (const reply of ["", "{", "null\n", '{"status":7}\n', '{"status":"succ'])
    expect(eventOf("pull", pull, reply)).toMatchObject({ outcome: "engine_error" });
  expect(eventOf("delete", pull, "")).toMatchObject({ outcome: "complete", clientAddress: "192.168.1.2" });
});
