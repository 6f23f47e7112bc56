import { expect, test } from "bun:test";
import fc from "fast-check";
import { createClientAddress } from "../src/client-address";

test("without trusted proxies the connection's address counts, whatever a client says of itself", () => {
  const clientAddress = createClientAddress("");
  expect(clientAddress("192.168.1.9", "10.0.0.1")).toBe("192.168.1.9");
  expect(clientAddress("::ffff:192.168.1.9", null)).toBe("192.168.1.9");
  expect(clientAddress(null, "10.0.0.1")).toBe(null);
});

test("behind trusted proxies it is the last address that none of them wrote for another", () => {
  const clientAddress = createClientAddress("127.0.0.1, ::1, 10.0.0.0/8");
  expect(clientAddress("127.0.0.1", "203.0.113.7")).toBe("203.0.113.7");
  expect(clientAddress("127.0.0.1", "1.1.1.1, 203.0.113.7, 10.1.2.3")).toBe("203.0.113.7");
  expect(clientAddress("::1", "[2001:db8::7]:443")).toBe("2001:db8::7");
  expect(clientAddress("127.0.0.1", "203.0.113.7:4711")).toBe("203.0.113.7");
  expect(clientAddress("127.0.0.1", "10.9.9.9")).toBe("10.9.9.9");
  expect(clientAddress("127.0.0.1", "spoof, unknown")).toBe("127.0.0.1");
  expect(clientAddress("127.0.0.1", null)).toBe("127.0.0.1");
  expect(clientAddress("192.168.1.9", "203.0.113.7")).toBe("192.168.1.9");
});

test("what is no address or network is refused by name", () => {
  for (const wrong of ["proxy", "10.0.0.0/33", "10.0.0/8", "::1/129", "1.2.3.4/x"])
    expect(() => createClientAddress(`127.0.0.1,${wrong}`)).toThrow(`CORRAL_TRUSTED_PROXIES is "${wrong}"`);
});

test("whatever the header holds, the answer is an address that was in it or the connection's", () => {
  const clientAddress = createClientAddress("127.0.0.0/8");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (header) => {
      const found = clientAddress("127.0.0.1", header) ?? "";
      expect(found === "127.0.0.1" || header.includes(found)).toBe(true);
    }),
  );
});
