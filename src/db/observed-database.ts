import * as z from 'zod';
import { type Failure, measured, type Step } from '../ops/observation.ts';
import { type Database, isUnavailable, sqlState } from './database.ts';

type AnyFunction = (...given: unknown[]) => unknown;
const callable = z.custom<AnyFunction>((value) => typeof value === 'function');
const queryShape = z.object({ sql: z.string() });

/**
 * The same database, each statement measured and traced: its kind and tables, never its parameters.
 * Drizzle sends each statement through `session.prepareQuery(query).execute()`, on both drivers; what it lets us look at
 * (`logger`) knows of the beginning alone.
 */
export function observedDatabase(db: Database): Database {
  const session: unknown = Reflect.get(db, 'session');
  if (typeof session !== 'object' || session === null) throw new TypeError('A database without a session');
  const prepareQuery = callable.parse(Reflect.get(session, 'prepareQuery'));
  const observedSession: unknown = Object.create(session, {
    prepareQuery: {
      value: (...given: unknown[]) => {
        const prepared: unknown = prepareQuery.apply(session, given);
        if (typeof prepared !== 'object' || prepared === null)
          throw new TypeError('A statement that cannot be executed');
        const execute = callable.parse(Reflect.get(prepared, 'execute'));
        const { data } = queryShape.safeParse(given[0]);
        const observedExecute = (...values: unknown[]) =>
          measured(
            'database',
            () => describe(data?.sql ?? ''),
            async () => await execute.apply(prepared, values),
            explain,
          );
        return Object.assign(prepared, { execute: observedExecute });
      },
    },
  });
  const observed: Database = Object.create(db, { session: { value: observedSession } });
  return observed;
}

/** What a statement does to which tables; drizzle writes their names in quotes, and those of its parts without. */
function describe(sql: string): Step {
  const touched = sql.matchAll(/\b(insert into|update|delete from|from|join) "(\w+)"/g);
  const parts = [...touched].map(([, verb = '', table = '']) => `${verbs[verb] ?? verb} ${table}`);
  const summary = [...new Set(parts)].join(' ').slice(0, 255);
  const operation = /\w+/.exec(sql)?.[0].toUpperCase() ?? 'SQL';
  return {
    name: summary === '' ? operation : summary,
    kind: 'client',
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': operation,
      ...(summary === '' ? {} : { 'db.query.summary': summary }),
    },
  };
}

const verbs: Readonly<Record<string, string>> = {
  'insert into': 'INSERT',
  update: 'UPDATE',
  'delete from': 'DELETE',
  from: 'SELECT',
  join: 'SELECT',
};

/** A broken constraint is what the database had to say. */
const explain = (error: unknown): Failure => ({
  isOutage: isUnavailable(error),
  code: sqlState(error)?.code ?? (error instanceof Error ? error.name : typeof error),
});
