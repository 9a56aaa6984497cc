import { type FieldError, Problem } from '../errors.ts';

const isBranch = (value: unknown): value is object => typeof value === 'object' && value !== null;

export const holdsNul = (text: string): boolean => text.includes('\0');

/**
 * Refuses NUL wherever it stands, in a value or in a name: Postgres keeps no text that holds it, and so no text of a
 * request may. Every body, query and path passes here; in headers HTTP has none (RFC 9110 section 5.5).
 * @throws {Problem} `validation_failed`, naming each field
 */
export function refuseNul(given: unknown): void {
  const errors: FieldError[] = [];
  // A list and no recursion: JSON may be nested deeper than the stack.
  const open: { readonly path: string; readonly value: unknown }[] = [{ path: '', value: given }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, value } = next;
    if (typeof value === 'string' && holdsNul(value)) errors.push({ path, message: 'Must not contain NUL' });
    if (!isBranch(value)) continue;
    for (const [name, inner] of Object.entries(value)) {
      if (holdsNul(name)) errors.push({ path, message: 'Must not contain NUL in a name' });
      else open.push({ path: path === '' ? name : `${path}.${name}`, value: inner });
    }
  }
  if (errors.length > 0) throw new Problem('validation_failed', { errors: errors.slice(0, 20).toReversed() });
}
