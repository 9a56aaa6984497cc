/** Scripts that are in everyday use (UAX 31, table 5). Others look like Latin letters and few people write them. */
const everyday = [
  'Arabic Armenian Bengali Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Hebrew Kannada Khmer Lao Latin',
  'Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan',
].flatMap((line) => line.split(' '));
/** What Chinese, Japanese and Korean are written with, Latin letters too. */
const together = ['Latin|Han|Bopomofo', 'Latin|Han|Hiragana|Katakana', 'Latin|Han|Hangul'];

const classOf = (scripts: string) =>
  scripts
    .split('|')
    .map((script) => `\\p{scx=${script}}`)
    .join('');
const written = [...everyday, ...together].map(
  // oxlint-disable-next-line security/detect-non-literal-regexp -- made of the two lists above, and of nothing that comes in
  (scripts) => new RegExp(`^[${classOf(scripts)}\\p{scx=Common}\\p{scx=Inherited}]*$`, 'u'),
);
/** Clicks of Khoisan languages: Latin letters that look like strokes. */
const clicks = /[\u01c0-\u01c3]/u;

/** Whether a name is written in one script, as UTS 39 section 5.2 has it ("highly restrictive"). */
export const isOfOneScript = (name: string): boolean =>
  !clicks.test(name) && written.some((pattern) => pattern.test(name));
