/**
 * Whether a text is as browsers send it in `Origin` (RFC 6454 section 7). `null` is what any sandboxed page sends, and
 * `*` what none does.
 */
export function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  return isWeb ? url.origin === text && !text.includes('*') : /^[a-z][a-z0-9+.-]*:\/\/[\w.-]+$/.test(text);
}

/** What is wrong with an entry that was meant as an origin, without any of it; undefined where that cannot be told. */
export function originFault(text: string): string | undefined {
  if (/^[a-z\d](?:[a-z\d.-]*[a-z\d])?(?::\d+)?$/i.test(text) && /[.:]|^localhost$/.test(text)) {
    return 'needs https:// in front (http:// for localhost)';
  }
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username + url.password !== '' || text.includes('*')) {
    return undefined;
  }
  if (text.startsWith(`${url.origin}/`)) return 'must end after the host and the port, without a slash';
  return text.toLowerCase() === url.origin ? 'must be in small letters' : undefined;
}

/**
 * Whether a URL may name the issuer of tokens (RFC 8414 section 2): no query, no fragment, and nothing that would have
 * to be escaped in a header.
 */
export function isIssuer(text: string): boolean {
  const { username, password, search, hash } = new URL(text);
  return username + password + search + hash === '' && /^[\w:/.[\]~%-]+$/.test(text);
}

/** Whether each `%` in a URL begins a character (RFC 3986 section 2.1) of UTF-8. */
export function isDecodable(url: string): boolean {
  try {
    return decodeURIComponent(url) !== '';
  } catch {
    return false;
  }
}
