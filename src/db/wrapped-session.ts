import * as z from 'zod';
import type { Database } from './database.ts';

type AnyFunction = (...given: unknown[]) => unknown;
const callable = z.custom<AnyFunction>((value) => typeof value === 'function');
const queryShape = z.object({ sql: z.string() });

/**
 * The same database, each of its statements run by `run`. Drizzle sends each statement through
 * `session.prepareQuery(query).execute()`, on both drivers; its logger only sees the beginning.
 * @param run takes how to send the statement once, and its text
 */
export function wrapStatements(
  db: Database,
  run: (send: () => Promise<unknown>, text: string) => Promise<unknown>,
): Database {
  const session: unknown = Reflect.get(db, 'session');
  if (typeof session !== 'object' || session === null) throw new TypeError('A database without a session');
  const prepareQuery = callable.parse(Reflect.get(session, 'prepareQuery'));
  const wrappedSession: unknown = Object.create(session, {
    prepareQuery: {
      value: (...given: unknown[]) => {
        const prepared: unknown = prepareQuery.apply(session, given);
        if (typeof prepared !== 'object' || prepared === null) {
          throw new TypeError('A statement that cannot be executed');
        }
        const execute = callable.parse(Reflect.get(prepared, 'execute'));
        const text = queryShape.safeParse(given[0]).data?.sql ?? '';
        const send = async (values: unknown[]) => await execute.apply(prepared, values);
        return Object.assign(prepared, { execute: (...values: unknown[]) => run(() => send(values), text) });
      },
    },
  });
  const wrapped: Database = Object.create(db, { session: { value: wrappedSession } });
  return wrapped;
}
