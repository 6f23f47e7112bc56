/** An Ollama behind HTTPS: asked where its certificate is trusted, and where it is not, nothing is sent and people are told. */
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { native, post } from "../gateway/asking";
import { eventually, getJson, startCorral } from "../support/corral";
import { startSimulator } from "../support/simulator";

const file = (name: string) => join(import.meta.dir, "../fixtures", name);
const certificate = file("localhost-certificate.pem");
const simulator = await startSimulator();
/** What came through to the simulator. */
const asked: string[] = [];
const front = serveWith(certificate);
/** Signed by itself, and over since 2021. */
const expired = file("expired-certificate.pem");
const old = serveWith(expired);
afterAll(async () => {
  await front.stop(true);
  await old.stop(true);
  await simulator.stop();
});

test("is used as any other, with a path of its own, where its certificate is trusted", async () => {
  const corral = await startCorral({
    environment: {
      OLLAMA_URL: `https://localhost:${front.port}/ollama`,
      NODE_EXTRA_CA_CERTS: certificate,
    },
  });
  try {
    for (const stream of [true, false]) {
      const answer = await post(`${corral.url}/api/chat`, native("sim-tokens3", { stream }));
      expect(answer).toMatchObject({
        status: 200,
        broken: false,
        text: expect.stringContaining('"done":true'),
      });
    }
    expect(asked).toContain("/ollama/api/chat");
    await eventually(
      () => getJson(`${corral.url}/api/stats/logs`),
      (logs) => JSON.stringify(logs).includes('"total":2'),
    );
  } finally {
    await corral.stop();
  }
});

test("gets nothing where its certificate is not, is another's or is too old, and people are told what to do", async () => {
  const refusals = [
    [`https://localhost:${front.port}`, {}, "a certificate that is not trusted here", "NODE_EXTRA_CA_CERTS"],
    [
      `https://127.0.0.1:${front.port}`,
      { NODE_EXTRA_CA_CERTS: certificate },
      "a certificate for another name",
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ],
    [
      `https://localhost:${old.port}`,
      { NODE_EXTRA_CA_CERTS: expired },
      "a certificate that has expired (CERT_HAS_EXPIRED)",
    ],
  ] as const;
  for (const [url, environment, ...words] of refusals) {
    asked.length = 0;
    const corral = await startCorral({
      until: "listening",
      environment: { OLLAMA_URL: url, ...environment },
    });
    try {
      const { status, text } = await eventually(
        () => post(`${corral.url}/api/chat`, native("sim-tokens3")),
        (answer) => answer.text.includes("certificate"),
        20_000,
      );
      expect(status).toBe(503);
      for (const word of words) expect(text).toContain(word);
      expect(text).not.toContain("is gone");
      expect(asked).toEqual([]);
    } finally {
      await corral.stop();
    }
  }
});

function serveWith(cert: string) {
  return Bun.serve({
    port: 0,
    tls: { cert: Bun.file(cert), key: Bun.file(file("localhost-key.pem")) },
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      asked.push(pathname);
      const { method, headers, body } = request;
      return fetch(simulator.address + pathname.replace(/^\/ollama/, "") + search, { method, headers, body });
    },
  });
}
