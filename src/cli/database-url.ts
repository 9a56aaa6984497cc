import { InvalidConfiguration } from '../config.ts';
import { findProblems } from '../config-check.ts';
import { variablesSet, withOlderNames } from '../config-legacy.ts';
import { databaseTransport } from '../config-transport.ts';
import { variables } from '../config-variables.ts';

const needed = variables.pick({ ENVIRONMENT: true, ALLOW_PLAINTEXT: true, DATABASE_URL: true });

/**
 * The database of a command that needs nothing else, by its older names too. What the service refuses to connect to is
 * refused here.
 * @returns undefined where none is named
 * @throws {ConfigError} without a value
 */
export function databaseUrlOf(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const older = withOlderNames(variablesSet(environment));
  if (older.set['DATABASE_URL'] === undefined) return undefined;
  const read = needed.safeParse(older.set);
  const wrong = findProblems(older, [read], (others) => needed.partial().parse(others), [databaseTransport]);
  if (wrong.length > 0 || read.data === undefined) throw new InvalidConfiguration(wrong);
  return read.data.DATABASE_URL;
}
