/** The languages there are words for, by their primary subtag (RFC 5646). To add one, add its file and a line here. */
export { words as de } from './locales/de.ts';
export { words as en } from './locales/en.ts';
