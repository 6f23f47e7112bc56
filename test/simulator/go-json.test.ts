import { expect, test } from "bun:test";
import fc from "fast-check";
import { GoJsonError, parseGoJson } from "../../src/simulator/go-json";

test("whatever is JSON is read as JSON, and what is not gets an error of Go's", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseGoJson(text)).toEqual(JSON.parse(text));
    }),
  );
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, at) => {
      try {
        parseGoJson(text.slice(0, at % text.length));
      } catch (error) {
        expect(error).toBeInstanceOf(GoJsonError);
      }
    }),
  );
});

test.each([
  ["{x", "invalid character 'x' looking for beginning of object key string"],
  ['{"a"', "unexpected EOF"],
  ["nope", "invalid character 'o' in literal null (expecting 'u')"],
  ['{"a":}', "invalid character '}' looking for beginning of value"],
  ['{"a":1 b', "invalid character 'b' after object key:value pair"],
  ['"\n"', "invalid character '\\n' in string literal"],
  ["", "EOF"],
])("a client that sends %j is told: %s", (text, message) => {
  expect(() => parseGoJson(text)).toThrow(message);
});
