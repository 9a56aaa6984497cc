import { getCookie } from 'hono/cookie';
import type { Config } from '../config.ts';
import { deviceTtl } from '../limits/device.ts';
import type { RequestContext } from './context.ts';

const isHttps = ({ issuer }: Pick<Config, 'issuer'>) => issuer.startsWith('https:');
/** With the prefix no neighbouring domain can set it (RFC 6265bis section 4.1.3.2); browsers want https for it. */
const cookieName = (config: Pick<Config, 'issuer'>) => (isHttps(config) ? '__Host-device' : 'device');

/** What a contract says of it. */
export const deviceRequestHeaders = {
  'X-Device-Token': 'The value from an earlier sign-in, for clients that send no cookie',
};
export const deviceResponseHeaders = {
  'X-Device-Token': 'Send it with the next sign-in, so that failed attempts of others do not lock this device out',
  'Set-Cookie': 'The same value as a cookie',
};

/** The device tokens that a request shows, that of the header first. What they are worth is another question. */
export function shownDeviceTokens(c: RequestContext, config: Pick<Config, 'issuer'>): string[] {
  const shown = [c.req.header('X-Device-Token'), getCookie(c, cookieName(config))];
  return shown.filter((token) => token !== undefined);
}

/** Hands a device token out, both for browsers and for all others. */
export function deviceHeaders(config: Pick<Config, 'issuer'>, token: string): Record<string, string> {
  const secure = isHttps(config) ? '; Secure' : '';
  const cookie = `${cookieName(config)}=${token}; Max-Age=${deviceTtl}; Path=/${secure}; HttpOnly; SameSite=Lax`;
  return { 'X-Device-Token': token, 'Set-Cookie': cookie };
}
