import { expect, test } from "bun:test";
import { hostAllowed, originAllowed } from "../src/origins";

test("pages of this machine, of apps and of the server itself may call", () => {
  for (const origin of [
    "http://localhost",
    "http://localhost:3000",
    "https://127.0.0.1:1",
    "http://0.0.0.0",
    "http://[::1]:80",
    "app://x",
    "file://",
    "tauri://localhost",
    "vscode-webview://x",
    "moz-extension://1",
  ])
    expect([origin, originAllowed(origin, "localhost", [])]).toEqual([origin, true]);
  expect(originAllowed("http://box:8000", "box:8000", [])).toBe(true);
});

test("pages of elsewhere may not, however they are called", () => {
  for (const origin of [
    "http://example.com",
    "http://localhost.evil.com",
    "http://evil.com/localhost",
    "null",
    "",
    "ftp://localhost",
    "http://localhost@evil.com",
    "http://box",
  ])
    expect([origin, originAllowed(origin, "box:8000", [])]).toEqual([origin, false]);
});

test("further origins are taken to the letter, with * for anything", () => {
  const further = ["https://chat.example.org", "https://*.corp"];
  expect(originAllowed("https://chat.example.org", null, further)).toBe(true);
  expect(originAllowed("https://a.corp", null, further)).toBe(true);
  expect(originAllowed("https://chatXexample.org", null, further)).toBe(false);
  expect(originAllowed("https://a.corp.evil", null, further)).toBe(false);
  expect(originAllowed("null", null, ["*"])).toBe(true);
});

test("on loopback only names and addresses of this machine are answered", () => {
  for (const host of [
    null,
    "",
    "localhost",
    "LOCALHOST:8000",
    "127.0.0.1:1",
    "[::1]:8000",
    "box:8000",
    "a.localhost",
    "a.local",
    "192.168.1.5",
    "0.0.0.0:80",
  ])
    expect([host, hostAllowed(host, "Box")]).toEqual([host, true]);
  for (const host of [
    "evil.example",
    "localhost.evil.com",
    "10.evil.com",
    "8.8.8.8",
    "127.0.0.1.evil.com:80",
    "[2001:db8::1]",
  ])
    expect([host, hostAllowed(host, "box")]).toEqual([host, false]);
});
