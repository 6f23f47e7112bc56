/** The Swagger page, served from here alone: nothing is loaded from outside, and the policy forbids it. */

import styles from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import bundle from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import { failure } from "../../errors";

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Swagger UI brings its own dark dress; this is what it leaves out, and what is too narrow on a telephone. */
const look = `
body { margin: 0; background: #fff; }
html.dark-mode body { background: #1c2022; }
.swagger-ui .topbar { display: none; }
html:not(.dark-mode) .swagger-ui .opblock-get .opblock-summary-method { background: #2a6fc0; }
html:not(.dark-mode) .swagger-ui .opblock-post .opblock-summary-method { background: #1a7f4b; }
html:not(.dark-mode) .swagger-ui .opblock-put .opblock-summary-method { background: #a65f00; }
html:not(.dark-mode) .swagger-ui .opblock-delete .opblock-summary-method { background: #c63232; }
.swagger-ui .info { margin: 32px 0; }
.swagger-ui .scheme-container { display: none; }
@media (max-width: 640px) {
  .swagger-ui .info { margin: 24px 0; }
  .swagger-ui .opblock-tag { display: grid; grid-template-columns: 1fr auto; }
  .swagger-ui .opblock-tag small { grid-row: 2; padding: 4px 0 0; }
  .swagger-ui .opblock-tag .expand-operation { grid-area: 1 / 2; }
  .swagger-ui .response-col_links { display: none; }
  .swagger-ui .responses-table, .swagger-ui .parameters { table-layout: fixed; width: 100%; }
  .swagger-ui .response-col_status, .swagger-ui .parameters-col_name { width: 72px; padding-right: 8px; }
  .swagger-ui .opblock-body pre.microlight { font-size: 11px; }
  .swagger-ui .parameters-col_description input[type=text], .swagger-ui .parameters-col_description select { max-width: 100%; }
}
`;

/** @param document path of the OpenAPI document */
export function swaggerPage(document: string): Response {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Corral API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/swagger/swagger-ui.css">
<link rel="stylesheet" href="/swagger/look.css">
</head>
<body>
<div id="swagger-ui" data-document="${document}"></div>
<noscript>This page needs JavaScript. The API as a document: <a href="${document}">${document}</a></noscript>
<script src="/swagger/swagger-ui-bundle.js"></script>
<script src="/swagger/start.js"></script>
</body>
</html>
`;
  return new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
  });
}

const start = `const dark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", dress);
dress();
const place = document.getElementById("swagger-ui");
SwaggerUIBundle({ url: place.dataset.document, domNode: place, deepLinking: true, tryItOutEnabled: true, validatorUrl: null, docExpansion: "list", defaultModelsExpandDepth: 0 });
`;

const assets: Readonly<Record<string, { readonly type: string; readonly body: () => Blob | string }>> = {
  "swagger-ui-bundle.js": { type: "text/javascript; charset=utf-8", body: () => Bun.file(bundle) },
  "swagger-ui.css": { type: "text/css; charset=utf-8", body: () => Bun.file(styles) },
  "look.css": { type: "text/css; charset=utf-8", body: () => look },
  "start.js": { type: "text/javascript; charset=utf-8", body: () => start },
};

/** A file of the page. @throws Failure 404 */
export function swaggerAsset(name: string): Response {
  const asset = Object.hasOwn(assets, name) ? assets[name] : undefined;
  if (!asset) throw failure.notFound(`/swagger/${name}`);
  return new Response(asset.body(), {
    headers: {
      "content-type": asset.type,
      "cache-control": "public, max-age=3600",
      "x-content-type-options": "nosniff",
    },
  });
}
