import { getCookie } from 'hono/cookie';
import type { Call } from '../call.ts';
import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';
import { askedTtl, issueAskedToken, verifyAskedToken } from '../limits/asked.ts';
import type { RequestContext } from './context.ts';

const isHttps = ({ issuer }: Pick<Config, 'issuer'>) => issuer.startsWith('https:');
/** With the prefix no neighbouring domain can set it (RFC 6265bis section 4.1.3.2); browsers want https for it. */
const cookieName = (config: Pick<Config, 'issuer'>) => (isHttps(config) ? '__Host-asked' : 'asked');

/** What a contract says of it. */
export const askedResponseHeaders = {
  'Set-Cookie': 'A cookie that identifies this browser when the user enters the code of the mail',
};

/** Has a browser say later that it asked for the mail to this address. The same for every address, known or not. */
export async function askedHeaders(
  deps: Pick<Deps, 'config' | 'keyring' | 'newId' | 'now'>,
  emailKey: string | undefined,
): Promise<Record<string, string>> {
  if (emailKey === undefined) return {};
  const token = await issueAskedToken(deps, emailKey);
  const secure = isHttps(deps.config) ? '; Secure' : '';
  const cookie = `${cookieName(deps.config)}=${token}; Max-Age=${askedTtl}; Path=/${secure}; HttpOnly; SameSite=Lax`;
  return { 'Set-Cookie': cookie };
}

/** Who enters a code: the browser that asked for it, or else everybody at that address. */
export async function requesterOf(
  deps: Pick<Deps, 'config' | 'keyring' | 'now'>,
  c: RequestContext,
  call: Pick<Call, 'addressKey'>,
  emailKey: string,
): Promise<{ readonly id: string; readonly isBrowser: boolean }> {
  const token = getCookie(c, cookieName(deps.config));
  const browser = token === undefined ? undefined : await verifyAskedToken(deps, token, emailKey);
  return browser === undefined ? { id: await call.addressKey(), isBrowser: false } : { id: browser, isBrowser: true };
}
