import { isLoopbackHost } from './config-mail.ts';
import { type Rule, rule } from './config-rule.ts';

/** Names that stand in examples, and that nobody can own (RFC 2606, RFC 6761). */
const placeholder =
  /(?:^|\.)(?:example\.(?:com|net|org|edu)|example|invalid)$|(?:^|[.-])(?:your-?(?:domain|app|company|site|host)|my-?domain|change-?me|placeholder)(?:[.-]|$)/;

/** What the public address has to be where real accounts sign in. */
export const issuerRules: readonly Rule[] = [
  rule(['ENVIRONMENT', 'ISSUER'], ({ ENVIRONMENT, ISSUER }) => {
    if (ENVIRONMENT === 'dev') return undefined;
    const { hostname, protocol } = new URL(ISSUER);
    if (placeholder.test(hostname)) {
      return 'ISSUER: is an example. Set it to the public address of this service';
    }
    return protocol === 'http:' && !isLoopbackHost(hostname) ? 'ISSUER: must be https outside development' : undefined;
  }),
];
