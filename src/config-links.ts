import * as z from 'zod';

/** Whose page a link of a mail leads to, and where people go on from there. */
export interface LinksConfig {
  /** Where people go on who bring no address of their own; undefined where the pages are the end. */
  readonly appUrl: string | undefined;
  /** What a `redirect_to` may begin with. */
  readonly redirectUrls: readonly string[];
  /** Links to pages of one's own; undefined for ours. */
  readonly templates: Readonly<Record<LinkKind, string | undefined>>;
}

export type LinkKind = 'verify_email' | 'reset_password' | 'confirm_email_change' | 'undo_email_change';

const isLoopback = ({ hostname }: URL) => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
const isBare = ({ username, password }: URL) => username + password === '';
/** Over the network only with TLS: what follows a link is somebody's account. */
const isSafeWeb = (url: URL) => url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
/** A browser runs or reads what stands behind these itself. */
const unsafeSchemes = /^(javascript|data|vbscript|file|blob|about|view-source|https?|wss?|ftp):$/;

/** Whether it may stand in `REDIRECT_URLS`: a web address, or one that an app on the device has registered. */
function isRedirectBase(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !isBare(url) || url.search + url.hash !== '') return false;
  return isSafeWeb(url) || (!unsafeSchemes.test(url.protocol) && /^[a-z][a-z0-9+.-]*:\/\/[\w.-]+/i.test(text));
}

/** `https://app.example.com/verify#token={token}`: the token once, behind the host; `{redirect_to}` before or after it. */
function isLinkTemplate(text: string): boolean {
  const names = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name);
  const filled = text.replaceAll(/\{(token|redirect_to)\}/g, 'x');
  const url = URL.parse(filled);
  if (url === null || !isBare(url) || !isSafeWeb(url)) return false;
  if (!/^https?:\/\/[^/?#{}]+[/?#]/i.test(text) || /[{}\s\\\p{Cc}]/u.test(filled)) return false;
  return names.toSorted().join() === 'token' || names.toSorted().join() === 'redirect_to,token';
}

const template = z
  .string()
  .refine(
    isLinkTemplate,
    'Expected an https address with {token}, such as https://app.example.com/verify#token={token}',
  )
  .optional();

/** The variables that say where links lead. */
export const linkVariables = {
  APP_URL: z
    .url({ protocol: /^https?$/, error: 'Expected an address such as https://app.example.com', abort: true })
    .refine((text) => isRedirectBase(text), 'Expected an https address without user, query and fragment')
    .optional(),
  REDIRECT_URLS: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
    .refine(
      (entries) => entries.every(isRedirectBase),
      'Expected addresses such as https://app.example.com/welcome or myapp://callback, without query and fragment',
    ),
  LINK_VERIFY_EMAIL: template,
  LINK_RESET_PASSWORD: template,
  LINK_CONFIRM_EMAIL_CHANGE: template,
  LINK_UNDO_EMAIL_CHANGE: template,
};

type LinkVariables = z.output<z.ZodObject<typeof linkVariables>>;

export function toLinks(v: LinkVariables): LinksConfig {
  return {
    appUrl: v.APP_URL,
    redirectUrls: [...(v.APP_URL === undefined ? [] : [v.APP_URL]), ...v.REDIRECT_URLS],
    templates: {
      verify_email: v.LINK_VERIFY_EMAIL,
      reset_password: v.LINK_RESET_PASSWORD,
      confirm_email_change: v.LINK_CONFIRM_EMAIL_CHANGE,
      undo_email_change: v.LINK_UNDO_EMAIL_CHANGE,
    },
  };
}

const longest = 2000;
const withoutSlash = (path: string): string => (path.endsWith('/') ? withoutSlash(path.slice(0, -1)) : path);
/** What only a server that decodes once more reads as a way up: `/cb/..%2fx`, `/cb/..;/x`. */
const climbs = (path: string) =>
  /(?:^|\/)\.\.?(?:[;/]|$)/.test(path.replaceAll(/%2f|%5c/gi, '/').replaceAll(/%2e/gi, '.'));

/**
 * An address that somebody wants to go on to, where it is allowed: below one of `REDIRECT_URLS` or `APP_URL`, and read
 * by the same parser as browsers have, so that none reads it as another host.
 * @returns it as the parser writes it; undefined where it is not allowed
 */
export function allowedRedirect(
  { redirectUrls }: Pick<LinksConfig, 'redirectUrls'>,
  text: string | undefined,
): string | undefined {
  if (text === undefined || text.length > longest || /[\s\\\p{Cc}]/u.test(text)) return undefined;
  const url = URL.parse(text);
  if (url === null || !isBare(url) || climbs(url.pathname)) return undefined;
  const isAllowed = redirectUrls.some((entry) => {
    const base = new URL(entry);
    const path = withoutSlash(base.pathname);
    const isBelow = withoutSlash(url.pathname) === path || url.pathname.startsWith(`${path}/`);
    return base.protocol === url.protocol && base.host === url.host && isBelow;
  });
  return isAllowed ? url.href : undefined;
}
