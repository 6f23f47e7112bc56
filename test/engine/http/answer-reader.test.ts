/** Answers of HTTP/1.1, read however their bytes are cut. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { AnswerReader, fieldOf } from "../../../src/engine/http/answer-reader";

/** Reads an answer from pieces; a connection that ends behind them. */
function read(pieces: readonly Uint8Array[], method = "GET") {
  const reader = new AnswerReader(method);
  const body = pieces.map((piece) => {
    // The socket writes over what it handed out.
    const lent = piece.slice();
    const part = reader.take(lent);
    lent.fill(0x21);
    return part;
  });
  const hadEnded = reader.isEnded;
  return { reader, body: Buffer.concat(body), hadEnded, isWhole: reader.close() };
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

function cut(whole: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => whole.subarray(from, at[index] ?? whole.length));
}

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
const places = fc.array(fc.nat(), { maxLength: 12 });

function chunked(parts: readonly Uint8Array[], extension: string, trailer: string): Uint8Array {
  const lines = parts.flatMap((part) => [
    bytes(`${part.length.toString(16)}${extension}\r\n`),
    part,
    bytes("\r\n"),
  ]);
  const head = bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  return new Uint8Array(Buffer.concat([head, ...lines, bytes(`0\r\n${trailer}\r\n`)]));
}

test("a chunked body is what its chunks hold, however its bytes are cut", () => {
  fc.assert(
    fc.property(
      chunks,
      places,
      fc.constantFrom("", ";name=value"),
      fc.constantFrom("", "X-Sum: 1\r\n"),
      (parts, at, extension, trailer) => {
        const { reader, body, hadEnded } = read(cut(chunked(parts, extension, trailer), at));
        expect([body.equals(Buffer.concat(parts)), hadEnded, reader.keepsOpen]).toEqual([true, true, true]);
      },
    ),
  );
});

test("a body with a length, and one that ends with its connection, are whole however they are cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), places, fc.boolean(), (content, at, hasLength) => {
      const length = hasLength ? `Content-Length: ${content.length}\r\n` : "";
      const whole = new Uint8Array(Buffer.concat([bytes(`HTTP/1.1 200 OK\r\n${length}\r\n`), content]));
      const { reader, body, hadEnded, isWhole } = read(cut(whole, at));
      expect([body.equals(Buffer.from(content)), hadEnded, isWhole, reader.keepsOpen]).toEqual([
        true,
        hasLength,
        true,
        hasLength,
      ]);
    }),
  );
});

test("an answer that is cut short anywhere is not whole", () => {
  const whole = chunked([bytes("hello"), bytes("world")], "", "");
  for (let end = 0; end < whole.length; end++) {
    const { isWhole, reader } = read([whole.subarray(0, end)]);
    expect([end, isWhole, reader.hasBegun]).toEqual([end, false, true]);
  }
  expect(read([bytes("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello")]).isWhole).toBe(false);
});

test("fields come as they were sent; one that comes twice is two", () => {
  const { reader } = read([
    bytes("HTTP/1.1 299 \r\nX-One:  a b \r\nx-one: \xe9\r\nContent-Length: 0\r\n\r\n"),
  ]);
  expect(reader.head).toEqual({
    status: 299,
    fields: [
      ["X-One", "a b"],
      ["x-one", "\xe9"],
      ["Content-Length", "0"],
    ],
  });
  expect([fieldOf(reader.head?.fields ?? [], "x-one"), fieldOf([], "x-one")]).toEqual(["a b, \xe9", null]);
});

test("an answer that says to wait is not the answer", () => {
  const { reader, body } = read([
    bytes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    bytes("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"),
  ]);
  expect([reader.head?.status, body.toString(), reader.isEnded]).toEqual([201, "ok", true]);
});

test("the answer to HEAD has no body whatever its length says, and 204 and 304 have none", () => {
  for (const [method, line] of [
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 17"],
    ["GET", "HTTP/1.1 204 No Content"],
    ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 17"],
  ] as const) {
    const { reader, hadEnded } = read([bytes(`${line}\r\n\r\n`)], method);
    expect([hadEnded, reader.keepsOpen]).toEqual([true, true]);
  }
});

test("a connection that says close, is of HTTP/1.0, or sends more than was asked carries no other request", () => {
  for (const answer of [
    "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore",
  ]) {
    const { reader, body } = read([bytes(answer)]);
    expect([reader.isEnded, reader.keepsOpen, body.toString()]).toEqual([true, false, "ok"]);
  }
});

test("what is no HTTP is said to be none", () => {
  for (const answer of [
    "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n",
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"1".repeat(5000)}`,
    `HTTP/1.1 200 OK\r\n${"x".repeat(1_100_000)}`,
  ])
    expect(() => read([bytes(answer)])).toThrow(expect.objectContaining({ code: "NotHttp" }));
});
