/** A username: as it is shown, and in the one form that counts as the same. */
export interface Username {
  readonly username: string;
  readonly key: string;
}

/** Letters and digits of any script, and `.`, `_`, `-`. Without `@`, so that no username reads like an email. */
const shape = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$/u;
/** Letters and marks that show nothing (Hangul fillers, variation selectors): one name could pose as another. */
const invisible = /\p{Default_Ignorable_Code_Point}/u;

/** Normalises a username after RFC 8265 section 3.3: NFKC, and lower case in the key. @returns undefined for no name */
export function normaliseUsername(text: string): Username | undefined {
  const username = text.normalize('NFKC').trim();
  const key = username.toLowerCase().normalize('NFKC');
  return shape.test(username) && shape.test(key) && !invisible.test(username) ? { username, key } : undefined;
}
