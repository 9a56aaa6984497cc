import { html } from 'hono/html';
import type { Config } from '../config.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { aliveAnswer, aliveResponses } from '../ops/alive.ts';
import { contentSecurityPolicy, layout } from './layout.ts';

/** Whether the client is a browser that shows a page. Health checks and programs name no HTML. */
const wantsPage = (accept: string | undefined) => /(?:^|,)\s*text\/html\s*(?:;|,|$)/i.test(accept ?? '');

/** `/`: for a browser a page that leads on, for everything else what `/health` answers. */
export function startPage(config: Pick<Config, 'docs' | 'mail' | 'serviceName'>, version: string): Endpoint {
  const { docs, mail } = config;
  const links: readonly (readonly [string, string])[] = [
    ...(docs
      ? ([
          ['docs/index', 'Documentation'],
          ['docs', 'API in Swagger UI'],
          ['redoc', 'API in ReDoc'],
          ['openapi.json', 'OpenAPI document'],
        ] as const)
      : []),
    ...(mail?.kind === 'mailbox' ? [[mail.url, 'Development mailbox'] as const] : []),
    ['health', 'Health'],
  ];
  const page = layout(
    config,
    'en',
    'The service is running',
    html`<p>Version ${version}. This service has no sign-in page. Applications sign in through the API.</p>
<ul>
${links.map(([address, title]) => html`<li><a href="${address}">${title}</a></li>\n`)}</ul>`,
  );
  return endpoint({
    method: 'get',
    path: '/',
    operationId: 'root',
    tag: 'Operation',
    summary: 'Check that the process answers',
    description: 'A browser gets a page with links instead.',
    contentSecurityPolicy,
    responses: aliveResponses,
    errors: [],
    prepare: unlimited,
    handler: async ({ c }) => {
      const headers = { 'Cache-Control': 'no-cache', Vary: 'Accept' };
      if (!wantsPage(c.req.header('Accept'))) return c.json(aliveAnswer(version), 200, headers);
      return c.html(await page, 200, headers);
    },
  });
}
