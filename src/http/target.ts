const dotSegment = /[/\\](?:\.|%2e){1,2}(?=[/\\#]|$)/i;

/**
 * Whether the URL parser would read another path than the one that was sent (WHATWG URL, RFC 3986 section 5.2.4). A
 * proxy that asks `/auth/verify-token` plus the path its own client sent must not end up at `/health`, whose 200 it
 * would take for a yes.
 * @param target of the request line (RFC 9112 section 3.2), as it came
 */
export function hasDotSegments(target: string): boolean {
  const [path = ''] = target.split('?');
  // The URL parser drops these wherever they are.
  return dotSegment.test(path.replaceAll(/[\t\n\r]/g, ''));
}

/**
 * Whether it is a host, and perhaps a port (RFC 9110 section 7.2). A URL is made of it and of the path, so whatever else
 * the URL parser makes sense of would move the path: `x/health?` or `name@x`.
 */
export const isHost = (text: string): boolean =>
  /^(?:\[[\da-f:.]+\]|[^\s/?#@\\:[\]]+)(?::\d*)?$/i.test(text) && URL.canParse(`http://${text}`);

/** What stands for the host in a target that is a whole address; undefined in one that is a path. */
export const authorityOf = (target: string): string | undefined => /^https?:\/\/([^/?#]*)/i.exec(target)?.[1];
