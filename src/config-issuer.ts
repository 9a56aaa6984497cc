import { isLoopbackHost } from './config-mail.ts';
import { type Rule, rule } from './config-rule.ts';

/** Names that stand in examples, and that nobody can own (RFC 2606, RFC 6761). */
const placeholder =
  /(?:^|\.)(?:example\.(?:com|net|org|edu)|example|invalid)$|(?:^|[.-])(?:your-?(?:domain|app|company|site|host)|my-?domain|change-?me|placeholder)(?:[.-]|$)/;

/** What the public address, and those of the pages that may call it, have to be where real accounts sign in. */
export const issuerRules: readonly Rule[] = [
  rule(['ENVIRONMENT', 'ISSUER'], ({ ENVIRONMENT, ISSUER }) => {
    if (ENVIRONMENT === 'dev') return undefined;
    const { hostname, protocol } = new URL(ISSUER);
    if (placeholder.test(hostname)) {
      return 'ISSUER: is an example. Set it to the public address of this service';
    }
    return protocol === 'http:' && !isLoopbackHost(hostname) ? 'ISSUER: must be https outside development' : undefined;
  }),
  // Anybody on the way can put a script of their own into such a page, and it calls with the person's cookies.
  rule(['ENVIRONMENT', 'CORS_ORIGINS'], ({ ENVIRONMENT, CORS_ORIGINS }) => {
    const isOpen = (origin: string) => origin.startsWith('http:') && !isLoopbackHost(new URL(origin).hostname);
    return ENVIRONMENT !== 'dev' && CORS_ORIGINS.some(isOpen)
      ? 'CORS_ORIGINS: origins must be https outside development, except for those of this machine (http://localhost)'
      : undefined;
  }),
];
