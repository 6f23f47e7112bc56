/** A wire between Corral and its engine that notes what goes over it, and cuts answers where a test wants. */
import { connect, createServer } from "node:net";
import { bodySize } from "../fuzz/socket";
import { cutAt } from "./recordings";

/** A request or an answer, as it stood on the wire. */
export interface Message {
  /** Such as "POST /api/chat HTTP/1.1" or "HTTP/1.1 200 OK". */
  readonly line: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Without the marks of its chunks, a character a byte; as far as it came where it broke off. */
  readonly body: string;
}

export interface Tap {
  readonly port: number;
  /** Cuts each packet of the engine's at these places, modulo its length, from now on. */
  cut(places: readonly number[]): void;
  /** The request that holds this text, and its answer. @throws Error where none came */
  exchange(marked: string): { readonly asked: Message; readonly answered: Message };
  close(): Promise<void>;
}

/** @param to the engine's port */
export async function openTap(to: number): Promise<Tap> {
  const wires: { asked: string; answered: string; marks: { asked: number; answered: number }[] }[] = [];
  const open = new Set<() => void>();
  let places: readonly number[] = [];

  const server = createServer((corral) => {
    const engine = connect(to, "127.0.0.1");
    const wire = { asked: "", answered: "", marks: [{ asked: 0, answered: 0 }] };
    wires.push(wire);
    let written = Promise.resolve();
    const end = () => {
      open.delete(end);
      corral.destroy();
      engine.destroy();
    };
    open.add(end);
    corral.setNoDelay(true);
    corral.on("data", (data: Buffer) => {
      // What comes behind a whole request is another one.
      if (isWhole(wire.asked.slice(wire.marks.at(-1)?.asked)))
        wire.marks.push({ asked: wire.asked.length, answered: wire.answered.length });
      wire.asked += data.toString("latin1");
      engine.write(data);
    });
    engine.on("data", (data: Buffer) => {
      wire.answered += data.toString("latin1");
      const pieces = cutAt(data, places);
      written = written.then(async () => {
        for (const piece of pieces) {
          corral.write(piece);
          // Without a turn of the event loop they would leave as one.
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
    });
    engine.on("close", () => void written.then(end));
    corral.on("close", end);
    for (const socket of [corral, engine]) socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the tap has no port");

  return {
    port: address.port,
    cut(at) {
      places = at;
    },
    exchange(marked) {
      for (const { asked, answered, marks } of wires)
        for (const [index, mark] of marks.entries()) {
          const next = marks[index + 1] ?? { asked: asked.length, answered: answered.length };
          const request = asked.slice(mark.asked, next.asked);
          if (request.includes(marked))
            return {
              asked: readMessage(request),
              answered: readMessage(answered.slice(mark.answered, next.answered)),
            };
        }
      throw new Error(`no request with ${marked} reached the engine`);
    },
    async close() {
      for (const end of open) end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  return end !== -1 && bodySize(text.slice(0, end + 2).toLowerCase(), text.slice(end + 4)) !== null;
}

/** The message that a text begins with. */
export function readMessage(text: string): Message {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) throw new Error(`no message: ${text.slice(0, 200)}`);
  const head = text.slice(0, end);
  const [line = "", ...fields] = head.split("\r\n");
  const raw = text.slice(end + 4);
  const body = raw.slice(0, bodySize(`${head}\r\n`.toLowerCase(), raw) ?? raw.length);
  return {
    line,
    headers: fields.map((field) => {
      const at = field.indexOf(":");
      return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()] as const;
    }),
    body: /\r\ntransfer-encoding: chunked/i.test(head) ? withoutChunks(body) : body,
  };
}

function withoutChunks(raw: string): string {
  let body = "";
  for (let at = 0; ; ) {
    const end = raw.indexOf("\r\n", at);
    const size = Number.parseInt(raw.slice(at, end), 16);
    if (end === -1 || !size) return body;
    body += raw.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}
