import { allowedRedirect } from '../config-links.ts';
import type { RequestContext } from '../http/context.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import type { LinkPage, RequestPage, View } from './link-page.ts';

/** How a page looks to whoever asks for it. @param wanted where they want to go on to; undefined as the query says */
export function viewOf<Page extends LinkPage | RequestPage>(
  { config }: Pick<SessionDeps, 'config'>,
  page: Page,
  c: RequestContext,
  wanted: string | undefined = c.req.query('redirect_to'),
): View<Page> {
  const redirectTo = allowedRedirect(config.links, wanted);
  const languages = c.req.header('Accept-Language')?.slice(0, 200);
  return { config, page, languages, redirectTo, onward: redirectTo ?? config.links.appUrl };
}
