import * as z from 'zod';
import { kindOf } from '../accounts/identifier.ts';
import { Problem } from '../errors.ts';
import type { Row } from './table.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Puts the body of a request into our words.
 * @param bearer the token of the `Authorization` header
 * @param told is given each of our names that an old one stands for
 */
export function toOurWords(row: Row, body: unknown, bearer: string | undefined, told: Map<string, string>): unknown {
  if (!isObject(body)) return body;
  refuseOthers(row, body);
  // Not by index: a body may have a field `constructor`.
  const names = new Map(Object.entries(row.fields ?? {}));
  // A refusal may be about a field that is missing, too.
  for (const [old, name] of names) {
    for (const ours of [name].flat()) if (!Object.hasOwn(body, ours)) told.set(ours, old);
  }
  const fields = Object.entries(body).map(([old, value]) => {
    const name = names.get(old) ?? old;
    return [typeof name === 'string' ? name : kindOf(typeof value === 'string' ? value : ''), value] as const;
  });
  const isMissing = row.bearer !== undefined && !Object.hasOwn(body, row.bearer) && bearer !== undefined;
  return Object.fromEntries(isMissing ? [...fields, [row.bearer, bearer]] : fields);
}

/** @throws {Problem} `validation_failed` where a field holds another value than the one that is understood */
function refuseOthers({ fixed = {} }: Row, body: Readonly<Record<string, unknown>>): void {
  // Swagger UI sends the fields of a form that were left empty.
  const errors = Object.entries(fixed)
    .filter(([name, value]) => Object.hasOwn(body, name) && body[name] !== '' && body[name] !== value)
    .map(([path, value]) => ({ path, message: `Must be ${value}` }));
  if (errors.length > 0) throw new Problem('validation_failed', { errors });
}

/** A refusal in the words of the client: the fields as it named them. */
export function inOldWords(error: unknown, told: ReadonlyMap<string, string>): unknown {
  if (!(error instanceof Problem) || error.details.errors === undefined) return error;
  const errors = error.details.errors.map(({ path, message }) => ({ path: told.get(path) ?? path, message }));
  return new Problem(error.code, { ...error.details, errors });
}

const valueAt = (body: unknown, place: string) =>
  place.split('.').reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), body);

/** Our answer with what older clients look for besides. */
export async function withOldNames({ adds }: Row, answer: Response): Promise<Response> {
  if (adds === undefined || !/^application\/json/.test(answer.headers.get('Content-Type') ?? '')) return answer;
  const body = z.looseObject({}).parse(await answer.json());
  return new Response(JSON.stringify({ ...body, ...oldFields(adds, body) }), answer);
}

/** What is added to an answer. */
export function oldFields(adds: NonNullable<Row['adds']>, body: unknown): Readonly<Record<string, unknown>> {
  const added = Object.entries(adds).flatMap(([name, places]) => {
    const found = places.map((place) => valueAt(body, place)).find((value) => value != null);
    return found === undefined ? [] : [[name, found] as const];
  });
  return Object.fromEntries(added);
}
