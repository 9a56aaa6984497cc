import { createHash, createHmac } from 'node:crypto';
import { foreignBcrypt, readBcryptString } from './bcrypt.ts';
import { type ReadHash, refuse } from './scheme.ts';

/** What bcrypt is given in place of the password, which so has no bound of 72 bytes. */
type Prehash = (password: string) => string;

const sha256Hex: Prehash = (password) => createHash('sha256').update(password).digest('hex');
const wordpress: Prehash = (password) => createHmac('sha384', 'wp-sha384').update(password).digest('base64');
const passlib1: Prehash = (password) => createHash('sha256').update(password).digest('base64');
const passlib2 =
  (salt: string): Prehash =>
  (password) =>
    createHmac('sha256', salt).update(password).digest('base64');

const passlib =
  /^\$bcrypt-sha256\$(?:(2[ab]),(\d{1,2})|v=2,t=(2b),r=(\d{1,2}))\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/;

/** bcrypt of a digest: Django's and Flask-Bcrypt's (`bcrypt_sha256$`), WordPress 6.8's (`$wp$`), passlib's. */
export const readPrehashedBcrypt: ReadHash = (text, limits) => {
  const found = split(text);
  if (found === undefined) return undefined;
  const read = readBcryptString(found.bcrypt, limits);
  if (read === undefined) return refuse('Not a bcrypt string after its prefix');
  if ('refused' in read) return read;
  // passlib mixes in the salt as it is written, so there the string stays as it came.
  return foreignBcrypt(found.prefix === undefined ? text : `${found.prefix}${read.encoded}`, read, found.prehash);
};

function split(text: string): { prefix: string | undefined; bcrypt: string; prehash: Prehash } | undefined {
  if (text.startsWith('bcrypt_sha256$')) {
    return { prefix: 'bcrypt_sha256$', bcrypt: text.slice('bcrypt_sha256$'.length), prehash: sha256Hex };
  }
  if (text.startsWith('$wp$2')) return { prefix: '$wp', bcrypt: text.slice('$wp'.length), prehash: wordpress };
  const [, type1, rounds1, type2, rounds2, salt = '', digest = ''] = passlib.exec(text) ?? [];
  const type = type1 ?? type2;
  if (type === undefined) return undefined;
  const rounds = (rounds1 ?? rounds2 ?? '').padStart(2, '0');
  const prehash = type1 === undefined ? passlib2(salt) : passlib1;
  return { prefix: undefined, bcrypt: `$${type}$${rounds}$${salt}${digest}`, prehash };
}
