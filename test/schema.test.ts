import { expect, test } from "bun:test";
import fc from "fast-check";
import { jsonOf } from "../src/gateway/body";
import { malformedJson } from "../src/schema";

const bytesOf = (text: string) => new TextEncoder().encode(text);

test("a body that is no JSON is told where it breaks", () => {
  const wordsOf = (text: string) => malformedJson(bytesOf(text)).message;
  expect(wordsOf('{"a":1,}')).toContain("malformed JSON at position 7, line 1, column 8");
  expect(wordsOf('{\n "a" 1}')).toContain("line 2, column 6");
  expect(wordsOf('{"a":1')).toContain("position 6");
  expect(wordsOf(" \n")).toBe("the body is empty: it takes a JSON object");
});

test("whatever the bytes, what is wrong with them is a 400", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const { status, message } = malformedJson(bytes);
      expect(status).toBe(400);
      expect(message).not.toBeEmpty();
    }),
    { numRuns: 200 },
  );
});

test("JSON is read to a depth of 10,000 and no deeper, in no time", () => {
  const nested = (depth: number) => bytesOf("[".repeat(depth) + "]".repeat(depth));
  expect(jsonOf(nested(10_000))).toBeArray();
  for (const depth of [10_001, 50_000, 500_000]) {
    expect(jsonOf(nested(depth))).toBeUndefined();
    expect(malformedJson(nested(depth)).message).toBe("the body's JSON is nested deeper than 10,000 levels");
  }
});
