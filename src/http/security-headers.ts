/** The directives of a Content-Security-Policy that pages here need, and their values. */
export type ContentSecurityPolicy = Readonly<
  Partial<
    Record<
      | 'defaultSrc'
      | 'scriptSrc'
      | 'styleSrc'
      | 'imgSrc'
      | 'connectSrc'
      | 'workerSrc'
      | 'baseUri'
      | 'formAction'
      | 'frameAncestors',
      readonly string[]
    >
  >
>;

/** Of an answer that is no page: it loads nothing, and no page frames it. */
const loadsNothing: ContentSecurityPolicy = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };

/** The header in which a policy is sent (CSP Level 3, section 3.1). */
const serialize = (policy: ContentSecurityPolicy) =>
  Object.entries(policy)
    .map(([name, values]) => [name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), ...values].join(' '))
    .join('; ');

/**
 * The headers with which a browser protects an answer: those that Hono's `secureHeaders` sets, as a list. A route makes
 * it once, where the middleware would set each header again for each request.
 */
export const securityHeaders = (
  policy: ContentSecurityPolicy = loadsNothing,
): readonly (readonly [name: string, value: string])[] => [
  ['Content-Security-Policy', serialize(policy)],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Origin-Agent-Cluster', '?1'],
  ['Referrer-Policy', 'no-referrer'],
  ['Strict-Transport-Security', 'max-age=15552000; includeSubDomains'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-DNS-Prefetch-Control', 'off'],
  ['X-Download-Options', 'noopen'],
  ['X-Frame-Options', 'SAMEORIGIN'],
  ['X-Permitted-Cross-Domain-Policies', 'none'],
  ['X-XSS-Protection', '0'],
];
