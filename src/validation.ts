import type * as z from 'zod';

/** What a value has to be, in the words of JSON. */
const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
};

const formats: Readonly<Record<string, string>> = {
  uuid: 'Must be a UUID',
  datetime: 'Must be a time such as 2026-01-31T12:00:00Z (ISO 8601)',
  email: 'Must be an email address',
  url: 'Must be a web address',
};

/** `at most 100 characters`, `at least 1 item`, `at most 100`. */
function amount(origin: string, bound: number | bigint): string {
  const unit = origin === 'string' ? 'character' : origin === 'array' || origin === 'set' ? 'item' : '';
  return unit === '' ? `${bound}` : `${bound} ${unit}${Number(bound) === 1 ? '' : 's'}`;
}

/**
 * What people read of a value that is not valid, where its schema says nothing of its own: in our words and not in those
 * of a library. Never repeats the value.
 */
export const ownWords: z.core.$ZodErrorMap = (issue) => {
  if (issue.input === undefined && issue.code !== 'custom') return 'Required';
  switch (issue.code) {
    case 'invalid_type':
      return `Must be ${kinds[issue.expected] ?? 'of another type'}`;
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `Too long: at most ${amount(issue.origin, issue.maximum)}`
        : `Must be at most ${amount(issue.origin, issue.maximum)}`;
    case 'too_small':
      return issue.minimum === 1 && issue.origin === 'string'
        ? 'Must not be empty'
        : `Must ${issue.origin === 'array' ? 'have' : 'be'} at least ${amount(issue.origin, issue.minimum)}`;
    case 'invalid_format':
      return formats[issue.format] ?? 'Has the wrong format';
    case 'invalid_value':
      return `Must be one of: ${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return 'Has an unknown field';
    default:
      return 'Is not valid';
  }
};
