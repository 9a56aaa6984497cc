import { type Failure, measured, type Step } from '../ops/observation.ts';
import { type Database, isUnavailable, sqlState } from './database.ts';
import { wrapStatements } from './wrapped-session.ts';

/** The same database, each statement measured and traced: its kind and tables, never its parameters. */
export const observedDatabase = (db: Database): Database =>
  wrapStatements(db, (send, text) => measured('database', () => describe(text), send, explain));

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
