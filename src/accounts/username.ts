import { normaliseEmail } from './email.ts';

/** A username: as it is shown, and in the one form that counts as the same. */
export interface Username {
  readonly username: string;
  readonly key: string;
}

/** Letters and digits of any script, and `.`, `_`, `-`. Without `@`, so that no username reads like an email. */
const shape = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$/u;
/** What shows nothing (Hangul fillers, variation selectors, an empty Braille cell): one name could pose as another. */
const invisible = /[\p{Default_Ignorable_Code_Point}\u2800\u070f\ufff9-\ufffb\u{1d159}]/gu;
/** Control characters, separators of lines, what turns the direction of the text around it, and what is no character. */
export const unkept = /[\p{Cc}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u202a-\u202e\u2066-\u2069]/u;
/** Code points of a name of any kind: as many as the columns of older services usually hold. */
export const longestName = 255;

/** Normalises a username after RFC 8265 section 3.3: NFKC, and lower case in the key. @returns undefined for no name */
export function normaliseUsername(text: string): Username | undefined {
  const username = text.normalize('NFKC').trim();
  const key = username.toLowerCase().normalize('NFKC');
  return shape.test(username) && shape.test(key) && username.search(invisible) === -1 ? { username, key } : undefined;
}

const inOneBlank = (text: string) => text.trim().replace(/\p{Zs}+/gu, ' ');

/**
 * Normalises a name as older services hold them: any text, after RFC 8266 (nicknames). Blanks count as one; the key is
 * in lower case and without what shows nothing, so that no name poses as another. A username of our own shape has the
 * same key here: the two are unique among each other.
 * @returns undefined for what cannot be kept, and for what only its key tells from an email address
 */
export function normaliseAnyName(text: string): Username | undefined {
  const username = inOneBlank(text.normalize('NFKC'));
  const seen = username.replace(invisible, '').normalize('NFKC');
  const key = inOneBlank(seen.toLowerCase().normalize('NFKC'));
  const isKept = username.isWellFormed() && !unkept.test(username) && key !== '';
  const isShort = [username, key].every((name) => [...name].length <= longestName);
  return isKept && isShort && normaliseEmail(key) === undefined ? { username, key } : undefined;
}
