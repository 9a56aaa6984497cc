/** One element of a list of entity tags, which may be empty (RFC 9110 sections 5.6.1 and 8.8.3). */
const element = /[ \t]*(?:(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y;

/** The entity tags of a conditional header: `*` for any, none where it is malformed. */
function readTags(header: string): '*' | string[] {
  if (header.trim() === '*') return '*';
  const tags: string[] = [];
  element.lastIndex = 0;
  while (element.lastIndex < header.length) {
    const found = element.exec(header);
    if (found === null) return [];
    const [, tag] = found;
    if (tag !== undefined) tags.push(tag);
  }
  return tags;
}

/** `If-None-Match` (RFC 9110 section 13.1.2): whether the client has this already, by the weak comparison. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = readTags(ifNoneMatch ?? '');
  return tags === '*' || tags.includes(etag);
}

/**
 * `If-Match` (RFC 9110 section 13.1.1): the tags of which one has to be the current one. A weak tag counts as the strong
 * one, though the RFC compares strongly: ours name the version of what is stored, and a proxy that packs an answer (nginx
 * with gzip) makes `W/"x"` of `"x"`, which says the same of that version.
 * @returns undefined where there is no such condition
 */
export function requiredTags(ifMatch: string | undefined): string[] | undefined {
  const tags = ifMatch === undefined ? '*' : readTags(ifMatch);
  return tags === '*' ? undefined : tags;
}
