import { html } from 'hono/html';
import * as z from 'zod';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { isKnown } from '../http/conditional.ts';
import type { RequestContext } from '../http/context.ts';
import { type Contract, type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { docsHits } from '../http/openapi.ts';
import { asset } from './assets.ts';
import { docsFiles, redoc, swaggerUi } from './docs-files.ts';
import { docsStyles, redocScript, swaggerScript } from './docs-scripts.ts';
import { guideRoutes } from './guide-routes.ts';

type Policy = NonNullable<Contract['contentSecurityPolicy']>;

const nothing: Policy = {
  defaultSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

/** Its images are `data:` addresses in its stylesheet; it calls the API that it came from. */
const swaggerPolicy: Policy = {
  ...nothing,
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
};

/**
 * Its styles are an empty element that it fills by CSSOM, and one with the rules of its scrollbar: these two texts are
 * allowed by their hashes. Its search runs in a worker that it makes of a text of its own.
 */
const redocPolicy: Policy = {
  ...nothing,
  scriptSrc: ["'self'"],
  styleSrc: [
    "'self'",
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
  ],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  workerSrc: ['blob:'],
};

interface DocsPage {
  readonly name: string;
  readonly contentSecurityPolicy: Policy;
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
}

/** A page that shows `/openapi.json`. Addresses are relative: the service may stand below a path of its host. */
function docsPage(
  { serviceName }: Deps['config'],
  { name, contentSecurityPolicy, styles, scripts }: DocsPage,
): Endpoint {
  return endpoint({
    method: 'get',
    path: `/${name}`,
    operationId: name,
    tag: 'Operation',
    summary: 'Show this document in a browser',
    contentSecurityPolicy,
    responses: { 200: { description: 'The page', type: 'text/html' } },
    errors: [],
    limits: ['docs_address'],
    prepare: docsHits,
    handler: ({ c }) => {
      const root = rootOf(c);
      return c.html(
        html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · ${serviceName}</title>
<link rel="icon" href="data:,">
${styles.map((path) => html`<link rel="stylesheet" href="${root}${path}">`)}
</head>
<body>
<nav><a href="${root}docs/index">Guides</a> <a href="${root}docs">Swagger UI</a> <a href="${root}redoc">ReDoc</a> <a href="${root}openapi.json">openapi.json</a></nav>
<noscript>This page needs JavaScript. The description itself is at <a href="${root}openapi.json">openapi.json</a>.</noscript>
<div id="docs" data-root="${root}"></div>
${scripts.map((path) => html`<script src="${root}${path}"></script>`)}
</body>
</html>
`,
        200,
        { 'Cache-Control': 'no-cache' },
      );
    },
  });
}

/** The way from the page back to where all paths begin: also from `/api/auth/docs`. */
const rootOf = (c: RequestContext) => '../'.repeat((c.get('endpoint') ?? '/').split('/').length - 2);

const fileParams = z.object({ directory: z.string(), file: z.string() });

/** Files never change under their path, which names the version. */
function fileRoute({ assets }: Pick<Deps, 'assets'>): Endpoint {
  return endpoint({
    method: 'get',
    path: '/docs/{directory}/{file}',
    operationId: 'docs_file',
    tag: 'Pages',
    summary: 'An asset of the documentation',
    params: fileParams,
    responses: { 200: { description: 'The file' } },
    errors: [],
    prepare: unlimited,
    handler: async ({ c, params: { directory, file } }) => {
      const found = docsFiles.find(({ path }) => path === `${directory}/${file}`);
      if (found === undefined) throw new Problem('not_found');
      const headers = { ETag: `"${found.path}"`, 'Cache-Control': 'public, max-age=31536000, immutable' };
      if (isKnown(c.req.header('If-None-Match'), headers.ETag)) return c.body(null, 304, headers);
      const answer = await assets(found.path);
      if (answer === undefined) throw new Problem('not_found', { reason: 'npm has not assembled dist/docs' });
      return new Response(answer.body, { headers: { ...headers, 'Content-Type': found.type } });
    },
  });
}

/** Swagger UI and ReDoc. */
export const docsRoutes = (deps: Pick<Deps, 'config'>): Endpoint[] => [
  docsPage(deps.config, {
    name: 'docs',
    contentSecurityPolicy: swaggerPolicy,
    styles: [`docs/${swaggerUi}/swagger-ui.css`, 'pages/docs.css'],
    scripts: [`docs/${swaggerUi}/swagger-ui-bundle.js`, 'pages/docs.js'],
  }),
  docsPage(deps.config, {
    name: 'redoc',
    contentSecurityPolicy: redocPolicy,
    styles: ['pages/docs.css'],
    scripts: [`docs/${redoc}/redoc.standalone.js`, 'pages/redoc.js'],
  }),
];

/** What those pages load, and the guides. */
export const docsFileRoutes = (deps: Pick<Deps, 'assets'>): Endpoint[] => [
  asset('/pages/docs.css', 'text/css; charset=utf-8', docsStyles),
  asset('/pages/docs.js', 'text/javascript; charset=utf-8', swaggerScript),
  asset('/pages/redoc.js', 'text/javascript; charset=utf-8', redocScript),
  fileRoute(deps),
  ...guideRoutes(deps),
];
