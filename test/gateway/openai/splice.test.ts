/** Asking for usage inside a client's own bytes. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { openAiChat } from "../../../src/gateway/dialects/openai/chat";
import { bodyOf, bytesOf } from "../recordings";

/** What the engine gets, and whether the usage is taken out again. */
function sent(text: string, compressed = false) {
  const body = { ...bodyOf(text), compressed };
  const asked = openAiChat.ask(body);
  const { body: out } = openAiChat.outgoing(body, asked);
  return {
    text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(out),
    same: out === body.bytes,
    hides: Boolean(asked.splice),
  };
}

const usage = { include_usage: true };
/** Spaces where JSON may have them, and texts that look like what is looked for. */
const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
const tricky = fc.constantFrom(
  "stream_options",
  "include_usage",
  '"',
  "\\",
  '{"stream_options":{',
  "}",
  "]",
  ",",
  "ü",
  "🐎",
  "\ud800",
);
const name = fc.oneof(tricky, fc.string({ unit: "binary", maxLength: 5 }));
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, false, 0, -1.5e10),
    name,
    tie("list"),
    tie("object"),
  ),
  list: fc.array(tie("value"), { maxLength: 3 }),
  object: fc.dictionary(name, tie("value"), { maxKeys: 3, noNullPrototype: true }),
})).value;
/** A client's own options, or what counts as none. */
const options = fc.oneof(
  fc.constantFrom(undefined, null, {}, { include_usage: false }, { include_usage: null }),
  fc
    .dictionary(name, json, { maxKeys: 3, noNullPrototype: true })
    .map(({ include_usage: _, ...rest }) => rest),
  fc
    .dictionary(name, json, { maxKeys: 2, noNullPrototype: true })
    .map((rest) => ({ ...rest, include_usage: false })),
);

/** JSON with spaces anywhere, and names partly in escapes. */
function written(value: unknown, spaces: readonly string[], escapes: boolean): string {
  let turn = 0;
  const gap = () => spaces[turn++ % Math.max(1, spaces.length)] ?? "";
  const quoted = (text: string) =>
    escapes
      ? `"${[...JSON.stringify(text).slice(1, -1)].map((letter) => (letter === "o" ? "\\u006f" : letter)).join("")}"`
      : JSON.stringify(text);
  const write = (one: unknown): string => {
    if (Array.isArray(one)) return `${gap()}[${one.map(write).join(",")}${gap()}]${gap()}`;
    if (typeof one !== "object" || one === null) return `${gap()}${JSON.stringify(one)}${gap()}`;
    const members = Object.entries(one).filter(([, inner]) => inner !== undefined);
    return `${gap()}{${gap()}${members.map(([key, inner]) => `${gap()}${quoted(key)}${gap()}:${write(inner)}`).join(",")}}${gap()}`;
  };
  return write(value);
}

test("any streamed chat reaches the engine as the same request that asks for usage, all other bytes untouched", () => {
  const body = fc
    .tuple(fc.dictionary(name, json, { maxKeys: 4, noNullPrototype: true }), options, fc.boolean())
    .map(([rest, stream_options, first]) => {
      const { stream_options: _, ...others } = rest;
      return first
        ? { stream_options, ...others, stream: true }
        : { stream: true, ...others, stream_options };
    });
  fc.assert(
    fc.property(body, fc.array(space, { maxLength: 5 }), fc.boolean(), (object, spaces, escapes) => {
      const text = written(object, spaces, escapes);
      // Names with an escaped lone surrogate and the like are still JSON.
      const wanted = JSON.parse(text);
      const { text: out, hides } = sent(text);
      expect(hides).toBe(true);
      expect(JSON.parse(out)).toEqual({ ...wanted, stream_options: { ...wanted.stream_options, ...usage } });
      // What was put in is one piece: the client's bytes stand before and behind it.
      let before = 0;
      while (before < text.length && text[before] === out[before]) before++;
      let behind = 0;
      while (behind < text.length - before && text.at(-1 - behind) === out.at(-1 - behind)) behind++;
      expect(["", "null", "false"].some((gone) => text.length - before - behind <= gone.length)).toBe(true);
    }),
    { numRuns: 600 },
  );
});

describe("the body goes on as it is", () => {
  const asIs: Record<string, string> = {
    "where the client asks for usage itself": '{"stream":true,"stream_options":{"include_usage":true}}',
    "where nothing is streamed": '{"stream":false,"stream_options":{"include_usage":false}}',
    "where streaming is not said": '{"model":"m"}',
    "where it is no JSON": '{"stream":true,',
    "where more stands behind it": '{"stream":true}{}',
    "where a byte order mark stands before it, which Ollama refuses": '\ufeff{"stream":true}',
    "where it is a list": '[{"stream":true}]',
    "where stream_options is twice there":
      '{"stream":true,"stream_options":{},"stream_options":{"include_usage":false}}',
    "where include_usage is twice there":
      '{"stream":true,"stream_options":{"include_usage":false,"include_usage":false}}',
    "where Go would read another spelling": '{"stream":true,"Stream_Options":{"include_usage":false}}',
    "where Go would read both spellings": '{"stream":true,"stream_options":{},"\u017ftream_options":{}}',
    "where Go would read another spelling inside": '{"stream":true,"stream_options":{"INCLUDE_USAGE":false}}',
    "where stream_options is no object": '{"stream":true,"stream_options":[]}',
    "where include_usage is no yes or no": '{"stream":true,"stream_options":{"include_usage":"no"}}',
  };
  test.each(Object.entries(asIs))("%s", (_, text) => {
    expect(sent(text)).toEqual({ text, same: true, hides: false });
  });

  test("where it is compressed, though it can be read", () => {
    expect(sent('{"stream":true}', true)).toEqual({ text: '{"stream":true}', same: true, hides: false });
  });
});

test("the place is found by bytes, behind an image of a megabyte too", () => {
  const image = "a".repeat(1_000_000);
  const text = `{"é":"\\"🐎","messages":[{"content":"data:image/png;base64,${image}"}],"stream":true,"stream_options" : {\n"include_usage": false }}`;
  expect(sent(text).text).toBe(text.replace("false }", "true }"));
  expect(bytesOf(text).length).toBeGreaterThan(text.length);
});
