import { expect, test } from "bun:test";
import { NetworkConfig } from "corral";
import fc from "fast-check";
import { Failure } from "../../src/errors";

test("NetworkConfig has the contract's defaults, and calls a wildcard by loopback", () => {
  const config = new NetworkConfig({}, {});
  expect(config).toMatchObject({ host: "0.0.0.0", port: 11434, timeout: 30, maxRetries: 3 });
  expect(config.baseUrl).toBe("http://127.0.0.1:11434");
  expect(config.apiUrl).toBe("http://127.0.0.1:11434/api");
});

test.each([
  ["example.org", "http://example.org:11434"],
  ["10.0.0.5:8080", "http://10.0.0.5:8080"],
  ["http://example.org", "http://example.org:80"],
  ["HTTPS://example.org/", "https://example.org:443"],
  ["https://example.org:8443/ollama", "https://example.org:8443"],
  ["[::1]:11500", "http://[::1]:11500"],
  ["::1", "http://[::1]:11434"],
  [":11500", "http://127.0.0.1:11500"],
  ["0.0.0.0:1", "http://127.0.0.1:1"],
  ["::", "http://[::1]:11434"],
  ["[::0]:9", "http://[::1]:9"],
  ['"127.0.0.1:5"', "http://127.0.0.1:5"],
])("OLLAMA_HOST=%s means %s", (given, url) => {
  expect(new NetworkConfig({}, { OLLAMA_HOST: given }).baseUrl).toBe(url);
});

test("a port inside OLLAMA_HOST wins over OLLAMA_PORT", () => {
  const { port } = new NetworkConfig({}, { OLLAMA_HOST: "127.0.0.1:9", OLLAMA_PORT: "8" });
  expect(port).toBe(9);
});

test.each([
  [{ OLLAMA_PORT: "0" }, 'OLLAMA_PORT is "0": it takes a whole number from 1 to 65535'],
  [{ OLLAMA_PORT: "65536" }, 'OLLAMA_PORT is "65536": it takes a whole number from 1 to 65535'],
  [{ OLLAMA_HOST: "h:70000" }, 'OLLAMA_HOST is "70000": it takes a port from 1 to 65535 in it'],
  [{ OLLAMA_HOST: "256.256.256.256" }, 'OLLAMA_HOST is "256.256.256.256": it takes a host, host:port'],
  [{ OLLAMA_HOST: "user:sesame@host" }, 'OLLAMA_HOST is "***@host": it takes a host, host:port'],
  [{ OLLAMA_TIMEOUT: "0" }, 'OLLAMA_TIMEOUT is "0": it takes a number of seconds above 0'],
  [{ OLLAMA_TIMEOUT: "soon" }, 'OLLAMA_TIMEOUT is "soon": it takes a number of seconds above 0'],
  [{ OLLAMA_MAX_RETRIES: "-1" }, 'OLLAMA_MAX_RETRIES is "-1": it takes a whole number from 0 up'],
  [{ OLLAMA_MAX_RETRIES: "1.5" }, 'OLLAMA_MAX_RETRIES is "1.5": it takes a whole number from 0 up'],
])("a value out of range, %j, is refused with the variable, the value and what would do", (given, words) => {
  expect(() => new NetworkConfig({}, given)).toThrow(words);
});

test("whatever OLLAMA_HOST holds, it is an address that can be called, or refused as a wrong setting", () => {
  const part = fc.constantFrom(
    "http://",
    "https://",
    "[",
    "]",
    "::",
    ":",
    "1",
    "a",
    "0.0.0.0",
    "@",
    "?",
    "#",
  );
  const hosts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join("")),
    fc.ipV6(),
    fc.webUrl(),
  );
  fc.assert(
    fc.property(hosts, (host) => {
      let config: NetworkConfig;
      try {
        config = new NetworkConfig({ host }, {});
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        return;
      }
      const url = new URL(config.baseUrl);
      expect([url.pathname, url.search, url.username]).toEqual(["/", "", ""]);
      expect(["0.0.0.0", "[::]"]).not.toContain(url.hostname);
    }),
    { numRuns: 2000 },
  );
});
