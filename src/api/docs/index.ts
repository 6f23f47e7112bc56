/** The document made from the routes, tidied into valid OpenAPI 3.1, and a page that shows it without leaving the machine. */
import { swagger } from "@elysiajs/swagger";
import { Elysia } from "elysia";
import { swaggerAsset, swaggerPage } from "./page";
import { tidy } from "./tidy";

const documentPath = "/swagger/json";
/** The plug-in's own page loads from a CDN and shows nothing offline (traps.md): it is never served, ours is. */
export const pluginPage = "/swagger/plugin";

export function docsRoutes(version: string) {
  return new Elysia({ name: "docs" })
    .onAfterHandle({ as: "global" }, ({ path, response }) =>
      path === documentPath ? tidy(response) : undefined,
    )
    .use(
      swagger({
        path: pluginPage,
        specPath: documentPath,
        excludeStaticFile: false,
        exclude: [pluginPage, documentPath, "/swagger", "/swagger/:file", "/", "/page/:file"],
        documentation: {
          openapi: "3.1.0",
          info: {
            title: "Corral",
            version,
            description:
              "One port in front of Ollama: every chat and completion recorded, Ollama supervised, figures and logs. Beside the paths below, every other path under `/api` and `/v1` is Ollama's own and passes through unchanged. A whole reply to a prompt that did not reach the model whole carries `X-Corral-Truncated`: `truncated` is sure, `truncated_likely` is not.",
            license: { name: "MIT" },
          },
          servers: [{ url: "/", description: "This server" }],
          // Said, so that no tool takes it for forgotten.
          security: [],
          components: {
            securitySchemes: {
              adminKey: {
                type: "http",
                scheme: "bearer",
                description:
                  "What reads texts, changes or deletes needs it where Corral listens on another address than loopback, or where CORRAL_ADMIN_KEY is set",
              },
            },
          },
          tags: [
            { name: "Health", description: "How the parts are" },
            { name: "Engine", description: "The Ollama behind Corral" },
            { name: "Statistics", description: "What happened, in figures and in full" },
            { name: "Requests", description: "What is running now" },
            { name: "Chat", description: "Talking to a model" },
            { name: "Ollama", description: "Models that Ollama has and can get" },
            { name: "Model repository", description: "What people note about models" },
            { name: "Events", description: "Who changed what, and how it ended" },
            { name: "Data", description: "What is kept, and deleting it" },
            { name: "Settings", description: "What this server was told" },
            { name: "Session", description: "The admin key, traded for a cookie" },
          ],
        },
      }),
    )
    .get("/swagger", () => swaggerPage(documentPath), { detail: { hide: true } })
    .get("/swagger/:file", ({ params }) => swaggerAsset(params.file), { detail: { hide: true } });
}
