import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { type Contract, type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { guides } from './guides.ts';

/** A guide loads its stylesheet and nothing else. */
const policy: NonNullable<Contract['contentSecurityPolicy']> = {
  defaultSrc: ["'none'"],
  styleSrc: ["'self'"],
  imgSrc: ['data:'],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

const types = {
  html: 'text/html; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  css: 'text/css; charset=utf-8',
} as const;

/** Serves one file of `dist/docs/guides`. The path is fixed, so no request names a file. */
function guideFile(
  { assets }: Pick<Deps, 'assets'>,
  path: string,
  name: string,
  extension: keyof typeof types,
): Endpoint {
  return endpoint({
    method: 'get',
    path,
    operationId: path.replace(/\W+/g, '_'),
    tag: 'Pages',
    summary: 'A guide',
    ...(extension === 'html' ? { contentSecurityPolicy: policy } : {}),
    responses: { 200: { description: 'The file' } },
    errors: [],
    prepare: unlimited,
    handler: async () => {
      const file = await assets(`guides/${name}.${extension}`);
      if (file === undefined) throw new Problem('not_found', { reason: 'dist/docs has not been assembled' });
      return new Response(file.body, {
        headers: { 'Content-Type': types[extension], 'Cache-Control': 'public, max-age=300' },
      });
    },
  });
}

/** The list of the guides for language models, in the format of llmstxt.org. */
function llmsText(issuer: string): string {
  const pages = Object.entries(guides).map(
    ([name, { title, about }]) => `- [${title}](${issuer}/docs/${name}.md): ${about}`,
  );
  return `# Edge Auth

> An authentication service: people register and sign in over a JSON API, and other services verify their RS256 access
> tokens with a JWKS. It runs on Cloudflare Workers and on Node.

## API

- [OpenAPI 3.1](${issuer}/openapi.json): every operation with examples, errors, limits and headers.

## Docs

${pages.join('\n')}
`;
}

/** The guides as pages and as Markdown, and the list of them. */
export const guideRoutes = (deps: Pick<Deps, 'assets' | 'config'>): Endpoint[] => [
  ...Object.keys(guides).flatMap((name) => [
    guideFile(deps, `/docs/${name}`, name, 'html'),
    guideFile(deps, `/docs/${name}.md`, name, 'md'),
  ]),
  guideFile(deps, '/pages/guide.css', 'guide', 'css'),
  endpoint({
    method: 'get',
    path: '/llms.txt',
    operationId: 'llms_txt',
    tag: 'Pages',
    summary: 'The list of the guides for language models',
    responses: { 200: { description: 'The list' } },
    errors: [],
    prepare: unlimited,
    handler: ({ c }) => c.text(llmsText(deps.config.issuer), 200, { 'Cache-Control': 'public, max-age=300' }),
  }),
];
