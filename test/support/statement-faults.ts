import { DrizzleQueryError } from 'drizzle-orm/errors';
import type { Database } from '../../src/db/database.ts';

type Run = (send: () => Promise<unknown>) => Promise<unknown>;

/** What happens to the next statements that hold a text, one after the other; all others go their way. */
export interface StatementFaults {
  readonly wrap: (db: Database) => Database;
  /** Keeps the next one from Postgres until it is let go. @returns resolves when one is held */
  hold(text: string): { readonly held: Promise<void>; release(): void };
  /** Carries the next one out and loses the answer, as a connection does that breaks. */
  loseAnswer(text: string): void;
}

export function createStatementFaults(): StatementFaults {
  const faults: { readonly text: string; readonly run: Run }[] = [];

  async function run(text: string, send: () => Promise<unknown>): Promise<unknown> {
    const index = faults.findIndex((fault) => text.includes(fault.text));
    const [fault] = index === -1 ? [] : faults.splice(index, 1);
    return fault === undefined ? await send() : await fault.run(send);
  }

  return {
    hold(text) {
      const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      faults.push({
        text,
        run: async (send) => {
          held.resolve();
          await released.promise;
          return await send();
        },
      });
      return { held: held.promise, release: released.resolve };
    },
    loseAnswer(text) {
      faults.push({
        text,
        run: async (send) => {
          await send();
          throw new DrizzleQueryError(text, [], new Error('Connection terminated unexpectedly'));
        },
      });
    },
    wrap(db) {
      // Drizzle sends each statement through `session.prepareQuery(query).execute()`, on both drivers.
      const session = Reflect.get(db, 'session');
      const wrapped = Object.create(session, {
        prepareQuery: {
          value: (...given: [{ readonly sql: string }]) => {
            const prepared = session.prepareQuery(...given);
            const execute = prepared.execute.bind(prepared);
            return Object.assign(prepared, {
              execute: (...values: unknown[]) => run(given[0].sql, async () => await execute(...values)),
            });
          },
        },
      });
      return Object.create(db, { session: { value: wrapped } });
    },
  };
}
