import fc from 'fast-check';
import { expect, it } from 'vitest';
import { kindOf } from '../../src/accounts/identifier.ts';
import { normaliseAnyName, normaliseUsername } from '../../src/accounts/username.ts';

/** Characters that change with case, with NFKC, or that show nothing, among all others. */
const odd = fc.constantFrom(
  ' ',
  '\u00a0',
  '\u200d',
  '\ufe0f',
  '\u0301',
  '\u0345',
  'İ',
  'Σ',
  'ẞ',
  '\ufdfa',
  '´',
  '@',
  '.',
  'a',
);
const character = fc.oneof(odd, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }));
const text = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(''));

it('a name is one name, however often it is normalised, and never an email', () => {
  fc.assert(
    fc.property(text, (typed) => {
      const name = normaliseAnyName(typed);
      if (name === undefined) return;
      expect(normaliseAnyName(name.username)).toEqual(name);
      expect(normaliseAnyName(name.key)?.key).toBe(name.key);
      expect(kindOf(typed)).toBe('username');
    }),
    { numRuns: 2000 },
  );
});

it('a username of our own has the same key among names of any kind', () => {
  const letters = fc.string({ unit: 'grapheme', maxLength: 8 });
  fc.assert(
    fc.property(fc.oneof(letters, text), (typed) => {
      const name = normaliseUsername(typed);
      if (name !== undefined) expect(normaliseAnyName(typed)).toEqual(name);
    }),
    { numRuns: 2000 },
  );
});
