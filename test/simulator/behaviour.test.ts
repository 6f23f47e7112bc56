import { expect, test } from "bun:test";
import fc from "fast-check";
import { BadBehaviour, behaviourWords, parseBehaviour } from "../../src/simulator/behaviour";

type Part = { word: string; text: string; value: number | true };

const part: fc.Arbitrary<Part> = fc.oneof(
  fc.constantFrom(...behaviourWords.flags).map((word): Part => ({ word, text: word, value: true })),
  fc
    .tuple(fc.constantFrom(...behaviourWords.numberWords), fc.nat(999_999_999))
    .map(([word, value]): Part => ({ word, text: `${word}${value}`, value })),
);
const parts = fc.uniqueArray(part, { selector: ({ word }) => word, minLength: 1 });

test("a model's name asks for exactly the behaviour that it spells, in any order and under any tag", () => {
  fc.assert(
    fc.property(parts, fc.constantFrom("", ":latest", ":second"), (asked, tag) => {
      const behaviour = parseBehaviour(`sim-${asked.map(({ text }) => text).join("-")}${tag}`);
      expect(Object.keys(behaviour).sort()).toEqual(asked.map(({ word }) => word).sort());
      expect(behaviour).toMatchObject(Object.fromEntries(asked.map(({ word, value }) => [word, value])));
    }),
  );
});

test("a misspelt behaviour is refused instead of ignored", () => {
  for (const name of ["sim-", "sim-crash", "sim-hang3", "sim-tokens5x", "sim-hang-hang", "sim-delay-5"]) {
    expect(() => parseBehaviour(name)).toThrow(BadBehaviour);
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseBehaviour(`sim-${text}`);
      } catch (error) {
        expect(error).toBeInstanceOf(BadBehaviour);
      }
    }),
  );
});

test("an ordinary name asks for nothing", () => {
  expect(parseBehaviour("llama3.2:latest")).toEqual({});
  expect(parseBehaviour("simple-crash3")).toEqual({});
});
