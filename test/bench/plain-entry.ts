/** The plainest proxy that can be made with Bun, which records nothing: what passing through Bun costs at all. */
const engine = process.env.ENGINE ?? "";

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  async fetch(request) {
    const body = await request.arrayBuffer();
    const answer = await fetch(engine + new URL(request.url).pathname, { method: request.method, body });
    const { status, headers } = answer;
    return new Response(headers.has("content-length") ? await answer.arrayBuffer() : answer.body, {
      status,
      headers: { "content-type": headers.get("content-type") ?? "" },
    });
  },
});
console.log(server.url.origin);
