/** The rows of failures.md in which the client leaves, or is slow. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { contract, engineState, native, post, record } from "../gateway/asking";
import { describeCorral, eventually, type RunningCorral } from "../support/corral";

describeCorral("a client", (corral) => {
  const url = () => `${corral().url}/api/chat`;
  const begun = (running: RunningCorral) =>
    eventually(
      () => engineState(running),
      ({ active }) => active > 0,
    );
  const stopped = (running: RunningCorral) =>
    eventually(
      () => engineState(running),
      ({ active }) => active === 0,
    );

  test("that leaves before the first byte stops the engine, and its prompt is kept", async () => {
    for (const body of [
      contract("sim-hang:contract"),
      native("sim-hang:native"),
      native("sim-hang:whole", { stream: false }),
    ]) {
      const { aborted } = await engineState(corral());
      const leaving = new AbortController();
      const asking = fetch(url(), { method: "POST", body: JSON.stringify(body), signal: leaving.signal });
      await begun(corral());
      leaving.abort();
      expect(asking).rejects.toThrow();
      await stopped(corral());
      expect((await engineState(corral())).aborted).toBe(aborted + 1);
      expect(await record(corral(), body.model)).toMatchObject({
        outcome: "client_abort",
        status: "aborted",
        prompt: "hello there",
        response: null,
        http_status: null,
        error: null,
      });
    }
  });

  test("that leaves in mid-stream stops the engine, and the text so far is kept", async () => {
    for (const body of [
      contract("sim-delay20-tokens1000:contract"),
      native("sim-delay20-tokens1000:native"),
    ]) {
      const { aborted } = await engineState(corral());
      const response = await fetch(url(), { method: "POST", body: JSON.stringify(body) });
      const reader = response.body?.getReader();
      await reader?.read();
      await reader?.cancel();
      await stopped(corral());
      expect((await engineState(corral())).aborted).toBe(aborted + 1);
      const kept = await record(corral(), body.model);
      expect(kept).toMatchObject({ outcome: "client_abort", http_status: 200, prompt: "hello there" });
      expect(kept.response).not.toBeEmpty();
      expect(kept.ttft_ms).not.toBeNull();
    }
  });

  test("that leaves a path that only passes stops the engine too", async () => {
    for (const model of ["sim-hang", "sim-delay20-tokens1000"]) {
      const leaving = new AbortController();
      const body = JSON.stringify(native(model, { stream: true }));
      const asking = fetch(`${corral().url}/v1/chat/completions`, {
        method: "POST",
        body,
        signal: leaving.signal,
      });
      await begun(corral());
      leaving.abort();
      await asking.catch(() => {});
      await stopped(corral());
    }
  });

  test("that breaks off its own body is nobody's request", async () => {
    const { requests } = await engineState(corral());
    const socket = connect(corral().port, "127.0.0.1");
    socket.write(
      'POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"model":"sim-tokens1:torn",',
    );
    await Bun.sleep(100);
    socket.destroy();
    expect((await post(url(), contract("sim-tokens1:next"))).status).toBe(200);
    expect((await engineState(corral())).requests).toBe(requests + 1);
  });

  test("that reads slowly holds up nobody and nothing, and gets everything", async () => {
    const before = residentMb(corral().pid);
    const body = JSON.stringify(native("sim-long250000:slow"));
    const socket = connect(corral().port, "127.0.0.1");
    socket.pause();
    socket.write(
      `POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await begun(corral());
    await Bun.sleep(500);
    // 32 MB are on offer; what is not read waits in the engine.
    expect((await engineState(corral())).active).toBe(1);
    expect(residentMb(corral().pid) - before).toBeLessThan(100);
    expect((await post(url(), contract("sim-tokens1:beside"))).status).toBe(200);
    let tail = "";
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.on("data", (bytes) => {
      tail = (tail + bytes.toString("latin1")).slice(-1000);
      if (tail.endsWith("\r\n0\r\n\r\n")) resolve();
    });
    socket.resume();
    await promise;
    socket.destroy();
    expect(tail).toContain('"done":true');
    expect(await record(corral(), "sim-long250000:slow")).toMatchObject({
      outcome: "complete",
      tokens_out: 250_000,
    });
  });
});

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
