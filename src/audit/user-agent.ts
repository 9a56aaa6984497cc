/** A user agent in words, such as `Firefox on Windows`; null where it tells nothing. */
export function describeUserAgent(_userAgent: string | null): string | null {
  return null;
}
