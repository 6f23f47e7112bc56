/** The rows of failures.md in which the server is killed, its database is away, or its disk is full: what became of the records. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { contract, native, post } from "../gateway/asking";
import { eventually, getJson, type RunningCorral, startCorral } from "../support/corral";
import { describeOwnServer } from "../support/databases";
import { leftOf } from "../support/left";
import { canMount, mountMemory, unmount } from "../support/mounts";
import { scratchFolder } from "../support/scratch";
import type { Standing } from "./rig/check";

setDefaultTimeout(60_000);

interface Ledger extends Standing {
  readonly message: string | null;
}
interface Row {
  readonly prompt: string | null;
  readonly outcome: string;
}

/** How the ledger stands; it must add up whenever it is asked. */
async function standing({ url }: RunningCorral): Promise<Ledger> {
  const ledger = (await getJson(`${url}/api/ledger`)) as Ledger;
  const { accepted, in_flight, stored, spooled, set_aside, shed } = ledger;
  const { spool_full, write_failed } = shed.records;
  expect(in_flight + stored + spooled + set_aside + spool_full + write_failed).toBe(accepted);
  return ledger;
}
const settled = (corral: RunningCorral, stored: number) =>
  eventually(
    () => standing(corral),
    (now) => now.stored === stored && now.spooled === 0,
    30_000,
  );
const rows = async ({ url }: RunningCorral) =>
  ((await getJson(`${url}/api/stats/logs?order=asc`)) as { logs: Row[] }).logs.map(({ prompt, outcome }) => [
    prompt,
    outcome,
  ]);
const chat = ({ url }: RunningCorral, prompt: string, model = "sim-tokens3", headers = {}) =>
  post(`${url}/api/chat`, contract(model, { prompt }), { headers });
const spooledText = (folder: string) =>
  readdirSync(join(folder, "spool"))
    .map((name) => readFileSync(join(folder, "spool", name), "latin1"))
    .join("");

async function kill(corral: RunningCorral): Promise<void> {
  corral.process.kill("SIGKILL");
  await corral.ended();
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = scratchFolder("corral-faults-");
  try {
    await work(folder);
  } finally {
    // The engine of a server that was killed.
    for (const pid of leftOf(folder)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

describeOwnServer("records", (server) => {
  test("outlive kill -9: each that had ended exactly once, each that ran as a server_crash with its prompt", () =>
    inFolder(async (folder) => {
      const own = { folder, databaseUrl: await (await server()).createDatabase() };
      const first = await startCorral(own);
      await chat(first, "ended");
      await settled(first, 1);
      const running = chat(first, "cut short", "sim-delay50-tokens1000").catch(() => null);
      await eventually(
        () => standing(first),
        (now) => now.in_flight === 1,
      );
      await chat(first, "a text to hide", "sim-tokens3", { "X-Corral-Content": "none" });
      await chat(first, "ended a moment ago");
      await kill(first);
      expect((await running)?.broken).not.toBe(false);
      expect(spooledText(folder)).toContain("cut short");
      expect(spooledText(folder)).not.toContain("a text to hide");

      const second = await startCorral(own);
      await settled(second, 4);
      await kill(second);
      const third = await startCorral({ ...own, environment: { CORRAL_CONTENT: "none" } });
      try {
        expect(await settled(third, 4)).toMatchObject({ accepted: 4 });
        const kept = [
          ["ended", "complete"],
          ["cut short", "server_crash"],
          [null, "complete"],
          ["ended a moment ago", "complete"],
        ];
        expect(await rows(third)).toEqual(kept);
        expect(await getJson(`${third.url}/api/stats/current`)).toMatchObject({ total_requests: 4 });

        await chat(third, "a secret");
        await post(`${third.url}/v1/messages`, native("sim-tokens3", { system: "a secret", max_tokens: 9 }));
        await chat(third, "sim-tokens3", "a secret for a name");
        const going = chat(third, "a secret", "sim-delay50-tokens1000").catch(() => null);
        await eventually(
          () => standing(third),
          (now) => now.in_flight === 1 && now.stored === 7,
        );
        await kill(third);
        await going;
        expect(spooledText(folder)).toContain('"begin"');
        expect(spooledText(folder)).not.toContain("a secret");
      } finally {
        await third.stop();
      }
    }));

  test("wait over a stop and a start while the database is away, and are stored when it is back", () =>
    inFolder(async (folder) => {
      const own = { folder, databaseUrl: await (await server()).createDatabase() };
      const first = await startCorral(own);
      await chat(first, "before");
      await settled(first, 1);
      await (await server()).kill9();
      await chat(first, "while it is away");
      expect(await standing(first)).toMatchObject({ accepted: 2, stored: 1, spooled: 1 });
      expect(await first.stop()).toBe(0);
      const second = await startCorral({ ...own, until: "listening" });
      try {
        await eventually(
          async () => (await fetch(`${second.url}/readyz`)).ok,
          (ok) => ok,
        );
        await chat(second, "and after a start");
        expect((await standing(second)).spooled).toBeGreaterThanOrEqual(2);
        await (await server()).restart();
        expect(await settled(second, 3)).toMatchObject({ accepted: 3 });
        expect((await rows(second)).map(([prompt]) => prompt)).toEqual([
          "before",
          "while it is away",
          "and after a start",
        ]);
      } finally {
        await second.stop();
      }
    }));

  test("are stored when a database goes on that took connections and never answered", () =>
    inFolder(async (folder) => {
      const corral = await startCorral({ folder, databaseUrl: await (await server()).createDatabase() });
      try {
        (await server()).pause();
        for (const prompt of ["1", "2", "3"]) expect((await chat(corral, prompt)).broken).toBe(false);
        expect(await standing(corral)).toMatchObject({ accepted: 3, spooled: 3 });
        (await server()).resume();
        await settled(corral, 3);
        expect(await rows(corral)).toHaveLength(3);
      } finally {
        (await server()).resume();
        await corral.stop();
      }
    }));
});

const mayMount = await canMount();
if (!mayMount) console.warn("SKIPPED, for no file system can be mounted here: the full disk");

test.skipIf(!mayMount)(
  "a full disk sheds records, counted, and no request; it needs no restart when it has room again",
  () =>
    inFolder(async (folder) => {
      const spool = join(folder, "spool");
      mkdirSync(spool, { mode: 0o700 });
      await mountMemory(spool, "size=256k");
      try {
        const corral = await startCorral({
          folder,
          databaseUrl: "postgres://me@127.0.0.1:1/none",
          until: "listening",
        });
        try {
          await eventually(
            async () => (await fetch(`${corral.url}/readyz`)).ok,
            (ok) => ok,
          );
          const long = "x".repeat(60_000);
          for (let at = 0; at < 8; at++) expect((await chat(corral, long)).status).toBe(200);
          const full = await standing(corral);
          expect(full.shed.texts.write_failed).toBeGreaterThan(0);
          while ((await standing(corral)).shed.records.write_failed === 0)
            expect((await chat(corral, "short")).status).toBe(200);
          // A line of a few bytes may fit in between, and all seems well until the next.
          const health = await eventually(
            async () => {
              await chat(corral, "short");
              return getJson(`${corral.url}/api/health`);
            },
            (said) => JSON.stringify(said).includes("the spool"),
          );
          expect(health).toMatchObject({
            status: "degraded",
            message: expect.stringContaining("the spool can't be written"),
          });
          await mountMemory(spool, "remount,size=20m");
          const { spooled } = await standing(corral);
          await chat(corral, "there is room again");
          expect(await standing(corral)).toMatchObject({ spooled: spooled + 1, message: null });
        } finally {
          await corral.stop();
        }
      } finally {
        await unmount(spool);
      }
    }),
);
