import type { Database } from '../../src/db/database.ts';
import { readSigningKeys } from '../../src/tokens/store.ts';
import { type TestApp, testApp } from '../support/test-app.ts';

/** An application's database, or while `isDown` says so one that is not there, with the driver's own errors. */
export async function failing(app: TestApp, isDown: () => boolean): Promise<Database> {
  const databaseUrl = Object.assign(new URL(app.databaseUrl), { pathname: '/no_such_database' }).href;
  const { deps: down } = await testApp({ databaseUrl });
  return withMethods(app.deps.db, (name) => {
    const db = isDown() ? down.db : app.deps.db;
    const method: unknown = Reflect.get(db, name);
    return typeof method === 'function' ? method.bind(db) : method;
  });
}

/** A database whose reading of the signing keys is answered as late as the test wants. */
export function slow(db: Database, answer: <Rows>(rows: Rows) => Promise<Rows>): Database {
  const select = () => ({ from: () => ({ orderBy: async () => await answer(await readSigningKeys(db)) }) });
  return withMethods(db, (name) => {
    if (name === 'select') return select;
    const method: unknown = Reflect.get(db, name);
    return typeof method === 'function' ? method.bind(db) : method;
  });
}

/** A database, and how often one of its methods was taken so far. */
export function counting(db: Database): { db: Database; asked: () => number } {
  let asked = 0;
  const counted = withMethods(db, (name) => {
    if (name === 'select') asked += 1;
    return Reflect.get(db, name);
  });
  return { db: counted, asked: () => asked };
}

const withMethods = (db: Database, method: (name: string | symbol) => unknown): Database =>
  new Proxy(db, { get: (_, name) => method(name) });
