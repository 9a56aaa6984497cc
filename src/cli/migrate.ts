import { variablesSet, withOlderNames } from '../config-legacy.ts';
import { withSecretFiles } from '../node/secret-files.ts';
import { migrate, rollback } from '../platform/postgres-migrations.ts';
import { reason } from './reason.ts';

/** `npm run db:migrate` and `npm run db:rollback`: work on the database that DATABASE_URL names, or its older names. */
const command = process.argv[2];
const onWait = (what: string) => console.error(`Waiting for ${what}`);

let environment: Readonly<Record<string, string | undefined>> = process.env;

try {
  environment = withSecretFiles(process.env);
  const databaseUrl = withOlderNames(variablesSet(environment)).set['DATABASE_URL'];
  if (databaseUrl === undefined) {
    console.error('DATABASE_URL is not set. Set it to postgres://user:password@host/database');
    process.exitCode = 1;
  } else if (command === 'up') {
    await migrate(databaseUrl, { onWait });
    console.log('The schema is up to date');
  } else if (command === 'down') {
    const name = await rollback(databaseUrl, { onWait });
    console.log(name === undefined ? 'No migration is left to roll back' : `Rolled back: ${name}`);
  } else {
    console.error('Usage: migrate.ts up | down');
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`The schema is unchanged: ${reason(error, environment)}`);
  process.exitCode = 1;
}
