/** A thousand streams at once: the same sentence for the program from source and for the single binary. */
import { expect, test } from "bun:test";
import { talk } from "../fuzz/socket";
import { eventually, getJson, type RunningCorral } from "../support/corral";
import { residentMegabytes } from "../support/memory";
import { engineState, lines, native, type Recorded } from "./asking";

const STREAMS = 1000;
/** What a stream may take of memory while it is open. 40 to 50 KB were measured, and in that what pools and code take once. */
const KILOBYTES_EACH = 100;
const model = "sim-echo-delay500:thousand";

/** Declares the test. @param corral one whose engine is a simulator of its own */
export function holdsThousandStreams(corral: () => RunningCorral): void {
  test("a thousand streams at once get each its own tokens, in flat memory, and are each recorded once", async () => {
    const before = residentMegabytes(corral().pid);
    const prompts = Array.from({ length: STREAMS }, (_, at) => `this is what client ${at} said to it`);
    const streaming = Promise.all(prompts.map((prompt) => stream(corral(), prompt)));
    await eventually(
      () => engineState(corral()),
      ({ active }) => active === STREAMS,
    );
    let most = 0;
    await eventually(
      async () => {
        most = Math.max(most, residentMegabytes(corral().pid));
        return engineState(corral());
      },
      ({ active }) => active < STREAMS,
      20_000,
    );
    expect(await streaming).toEqual(prompts);
    expect(most - before).toBeLessThan((STREAMS * KILOBYTES_EACH) / 1000);

    const url = `${corral().url}/api/stats/logs?limit=${STREAMS}&model=${model}`;
    const { logs, total } = await eventually(
      async () => (await getJson(url)) as { logs: (Recorded & { id: string })[]; total: number },
      (page) => page.logs.length === STREAMS && page.total === STREAMS,
      20_000,
    );
    expect([total, new Set(logs.map(({ id }) => id)).size]).toEqual([STREAMS, STREAMS]);
    const texts = logs.map(({ prompt, response, outcome }) => [prompt, response, outcome]).sort();
    expect(texts).toEqual(prompts.map((prompt) => [prompt, prompt, "complete"]).sort());
  });
}

/** Asks on a connection of its own, since fetch has a limit here too. @returns the reply's text, from its tokens */
async function stream({ port }: RunningCorral, prompt: string): Promise<string> {
  const body = JSON.stringify(native(model, { messages: [{ role: "user", content: prompt }] }));
  // In HTTP/1.0 a body comes as it is, and ends with its connection.
  const head = `POST /api/chat HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n`;
  const { text } = await talk(port, head + body, { answers: 0 });
  const rows = lines(text.slice(text.indexOf("\r\n\r\n") + 4)) as { message: { content: string } }[];
  return rows.map(({ message }) => message.content).join("");
}
