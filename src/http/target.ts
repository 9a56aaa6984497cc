const dotSegment = /[/\\](?:\.|%2e){1,2}(?=[/\\#]|$)/i;

/**
 * Whether the URL parser would read another path than the one that was sent (WHATWG URL, RFC 3986 section 5.2.4). A
 * proxy that asks `/auth/verify-token` plus the path its own client sent must not end up at `/health`, whose 200 it
 * would take for a yes.
 * @param target of the request line (RFC 9112 section 3.2), as it came
 */
export function hasDotSegments(target: string): boolean {
  const [path = ''] = target.split('?');
  return dotSegment.test(path);
}
