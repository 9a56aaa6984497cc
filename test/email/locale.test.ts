import { describe, expect, it } from 'vitest';
import { chooseLocale, wordsFor } from '../../src/email/locale.ts';
import * as locales from '../../src/email/locales.ts';
import { messages } from '../../src/email/messages.ts';

describe('the language of a mail', () => {
  it.each([
    ['what the user chose, by language alone', ['de-AT', 'en'], 'de'],
    ['however it is written', ['DE_ch'], 'de'],
    ['else what the request asks for', [null, 'de, en;q=0.5'], 'de'],
    ['the most wanted first', [undefined, 'en;q=0.2, de;q=0.9'], 'de'],
    ['a language there are no words for is passed over', ['tlh', 'fr-CH, fr;q=0.9, de;q=0.4, *;q=0.1'], 'de'],
    ['what is not wanted is not taken', [null, 'de;q=0, en'], 'en'],
    ['what cannot be read is left out', [null, 'de;q=2, de;q=x, ;;;, ,,de;level=1, \u0000, en'], 'en'],
    ['English where nothing fits', ['fr', 'fr, *'], 'en'],
    ['English where nothing is wished', [], 'en'],
    ['no property of the table', ['constructor', '__proto__, toString, default'], 'en'],
    ['nothing beyond a sane length', [null, `${'x, '.repeat(1000)}de`], 'en'],
  ])('is %s', (_, wishes, language) => {
    expect(chooseLocale(...wishes)).toBe(language);
  });

  it('has words for every message, and its own ones', () => {
    const facts = { service: 'Example', resetPage: 'https://auth.test/forgot-password', email: 'a***@example.com' };
    const { en } = locales;
    for (const [language, words] of Object.entries(locales)) {
      expect(Object.keys(words.mails).toSorted()).toEqual(Object.keys(messages).toSorted());
      expect(wordsFor(language)).toBe(words);
      if (words === en) continue;
      const subjects = Object.values(words.mails).map((mail) => mail(facts).subject);
      const inEnglish = Object.values(en.mails).map((mail) => mail(facts).subject);
      expect(subjects.filter((subject) => inEnglish.includes(subject))).toEqual([]);
    }
    expect(wordsFor('constructor')).toBe(en);
  });
});
