import { BCRYPT_MOST_BYTES, foreignBcrypt, readBcryptString } from './bcrypt.ts';
import { type ReadHash, refuse } from './scheme.ts';

const shape = /^\$bcrypt-pepper\$([a-z][a-z0-9_-]{0,30})(\$2.*)$/;

/**
 * bcrypt of the password and a pepper behind it, as Devise makes it: `$bcrypt-pepper$<name>` in front of the string.
 * The pepper itself stands in `LEGACY_PEPPERS`, and in no table.
 */
export const readPepperedBcrypt: ReadHash = (text, limits) => {
  const [, name, encoded = ''] = shape.exec(text) ?? [];
  if (name === undefined) return undefined;
  const read = readBcryptString(encoded, limits);
  if (read === undefined) return refuse('Not a bcrypt string after the name of its pepper');
  if ('refused' in read) return read;
  const hash = foreignBcrypt(
    `$bcrypt-pepper$${name}${read.encoded}`,
    read,
    (password, pepper) => password + pepper,
    BCRYPT_MOST_BYTES,
  );
  return { ...hash, pepper: name };
};
