import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { type Contract, type Endpoint, endpoint } from '../http/endpoint.ts';
import { docsHits } from '../http/openapi.ts';
import { guideNames } from './guides.ts';

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
  txt: 'text/plain; charset=utf-8',
} as const;

interface File {
  readonly path: string;
  readonly name: string;
  readonly extension: keyof typeof types;
}

/** Serves one file of `dist/docs/guides`. The path is fixed, so no request names a file. */
const guideFile = ({ assets }: Pick<Deps, 'assets'>, { path, name, extension }: File): Endpoint =>
  endpoint({
    method: 'get',
    path,
    operationId: path.replace(/\W+/g, '_'),
    tag: 'Pages',
    summary: 'A guide',
    ...(extension === 'html' ? { contentSecurityPolicy: policy } : {}),
    responses: { 200: { description: 'The file' } },
    errors: [],
    limits: ['docs_address'],
    prepare: docsHits,
    handler: async () => {
      const file = await assets(`guides/${name}.${extension}`);
      if (file === undefined) throw new Problem('not_found', { reason: 'npm has not assembled dist/docs' });
      return new Response(file.body, {
        headers: { 'Content-Type': types[extension], 'Cache-Control': 'public, max-age=300' },
      });
    },
  });

/** The guides as pages and as Markdown, and the list of them for language models (llmstxt.org). */
export const guideRoutes = (deps: Pick<Deps, 'assets'>): Endpoint[] => [
  ...guideNames.flatMap((name) => [
    guideFile(deps, { path: `/docs/${name}`, name, extension: 'html' }),
    guideFile(deps, { path: `/docs/${name}.md`, name, extension: 'md' }),
  ]),
  guideFile(deps, { path: '/pages/guide.css', name: 'guide', extension: 'css' }),
  guideFile(deps, { path: '/llms.txt', name: 'llms', extension: 'txt' }),
];
