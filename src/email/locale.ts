import * as locales from './locales.ts';
import type { Words } from './words.ts';

const registry: Readonly<Record<string, Words>> = locales;
const fallback = 'en';
/** What is looked at of one wish: nobody speaks more languages than that, and headers come from anybody. */
const longest = 500;
const max = 20;
/** RFC 9110 section 12.4.2. */
const weight = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

const hasWords = (language: string) => Object.hasOwn(registry, language);

/**
 * The language of a mail or a page: the first wish that there are words for, else English.
 * @param wishes each a language tag (RFC 5646) such as the user's own, or an `Accept-Language` header (RFC 9110 section
 * 12.5.4); matched by language alone: `de-AT` gives `de`
 * @returns a language that `wordsFor` knows
 */
export function chooseLocale(...wishes: readonly (string | null | undefined)[]): string {
  return wishes.flatMap((wish) => languagesOf(wish ?? '')).find(hasWords) ?? fallback;
}

/** What one wish names, most wanted first. What cannot be read is left out, and so is what is not wanted (`q=0`). */
function languagesOf(wish: string): string[] {
  const ranges = wish.slice(0, longest).split(',', max);
  const read = ranges.flatMap((range) => {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim());
    const language = /^([a-z]{2,8})(?:[-_][a-z\d]{1,8})*$/i.exec(tag)?.[1]?.toLowerCase();
    const [q = 'q=1'] = parameters;
    const quality = Number(weight.exec(q)?.[1] ?? 0);
    return language === undefined || quality === 0 ? [] : [{ language, quality }];
  });
  // Sorting is stable: among equals the first one goes first.
  return read.toSorted((a, b) => b.quality - a.quality).map(({ language }) => language);
}

/** The words of a language; English for one there are none for. */
export function wordsFor(locale: string): Words {
  return (hasWords(locale) ? registry[locale] : undefined) ?? locales.en;
}
