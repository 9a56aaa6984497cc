import { timingSafeEqual } from 'node:crypto';
import { argon2Limits, isWithinArgon2Limits } from '../argon2.ts';
import { argon2Cost, formatArgon2, parseArgon2 } from '../argon2-string.ts';
import { largeMemory, type ReadHash, refuse } from './scheme.ts';

/** The least m*t, m in KiB: a megabyte once. */
const minWork = 1024;
const encoder = new TextEncoder();

/** Argon2 (RFC 9106) of others: PHC strings, and Django's, which has a name in front. */
export const readArgon2: ReadHash = (text, limits) => {
  if (!/^(?:argon2)?\$argon2/.test(text)) return undefined;
  const parsed = parseArgon2(text.replace(/^argon2/, ''));
  if (parsed === null) return refuse('Not an Argon2 string in the PHC format');
  if (parsed.keyId !== undefined) return refuse('Argon2 with the pepper of another secret');
  const { parameters, tag } = parsed;
  if (!isWithinArgon2Limits(parameters, limits.argon2Memory)) {
    const { memory, iterations, parallelism } = parameters;
    const { work, parallelism: lanes } = argon2Limits;
    const max = `m up to ${limits.argon2Memory} KiB, m*t up to ${work}, p up to ${lanes}`;
    return refuse(`Argon2 with m=${memory}, t=${iterations}, p=${parallelism}: ${limits.runtime} verifies ${max}`);
  }
  return {
    stored: formatArgon2(parsed),
    form: 'typed',
    cost: argon2Cost(parameters),
    isLarge: parameters.memory > largeMemory,
    weakness:
      parameters.memory * parameters.iterations < minWork
        ? `Argon2 with m=${parameters.memory}, t=${parameters.iterations} protects no password: m*t of ${minWork} is the least that is taken`
        : undefined,
    async matches(password, { argon2 }) {
      const bytes = encoder.encode(password);
      const found = await argon2({ ...parameters, password: bytes }).finally(() => bytes.fill(0));
      return timingSafeEqual(found, tag);
    },
  };
};
