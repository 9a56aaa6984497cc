import { timingSafeEqual } from 'node:crypto';
import { type ReadHash, refuse } from './scheme.ts';

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const shape = /^\$[PH]\$([./0-9A-Za-z])([./0-9A-Za-z]{8})([./0-9A-Za-z]{22})$/;
/** 2^16 rounds of MD5: WordPress makes 2^13, phpBB 2^11. */
const maxRounds = 16;
const encoder = new TextEncoder();

/** phpass, the portable hashes of WordPress (`$P$`) and phpBB (`$H$`). */
export const readPhpass: ReadHash = (text) => {
  const [, setting, salt = '', digest = ''] = shape.exec(text) ?? [];
  if (setting === undefined) return undefined;
  const logarithm = alphabet.indexOf(setting);
  if (logarithm < 7 || logarithm > maxRounds) {
    return refuse(`phpass of 2^${logarithm} rounds: only 2^7 to 2^${maxRounds} are supported`);
  }
  const rounds = 2 ** logarithm;
  return {
    stored: text,
    form: 'typed',
    cost: rounds / 500,
    isLarge: false,
    async matches(password, { phpass }) {
      const found = encode(await phpass(password, salt, rounds));
      return timingSafeEqual(encoder.encode(found), encoder.encode(digest));
    },
  };
};

/** Sixteen bytes in the alphabet of crypt, the low bits first. */
function encode(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const [first = 0, second, third] = bytes.subarray(index, index + 3);
    const value = first | ((second ?? 0) << 8) | ((third ?? 0) << 16);
    const characters = second === undefined ? 2 : third === undefined ? 3 : 4;
    for (let n = 0; n < characters; n += 1) text += alphabet.charAt((value >> (6 * n)) & 63);
  }
  return text;
}
