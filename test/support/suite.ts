/** Runs the tests with one PostgreSQL server for them all. Takes what `bun test` takes. */
import { embeddedTemplate } from "./embedded-template";
import { postgresServer, runServerVariable } from "./postgres";
import { builtProgram } from "./program";

await embeddedTemplate();
builtProgram();
const server = await postgresServer();
const tests = Bun.spawn([process.execPath, "test", ...process.argv.slice(2)], {
  env: { ...process.env, [runServerVariable]: server?.url },
  stdio: ["inherit", "inherit", "inherit"],
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => tests.kill(signal));
const code = await tests.exited;
await server?.stop();
process.exit(code);
