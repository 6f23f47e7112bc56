import { expect, test } from "bun:test";
import { readSize, saySize } from "../src/size";

test("sizes are read as people write them, and said shortly", () => {
  for (const [text, bytes] of [
    ["1GB", 1e9],
    ["1.5 tb", 1.5e12],
    ["250kB", 250_000],
    [" 12 ", 12],
    ["3b", 3],
  ] as const)
    expect([text, readSize(text)]).toEqual([text, bytes]);
  for (const text of ["", "GB", "-1GB", "1GiB", "1e9", "ten"])
    expect([text, readSize(text)]).toEqual([text, undefined]);
  for (const [bytes, text] of [
    [1e9, "1GB"],
    [1.5e12, "1.5TB"],
    [20_000, "20kB"],
    [12, "12B"],
  ] as const)
    expect(saySize(bytes)).toBe(text);
});
