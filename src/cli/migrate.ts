import { variablesSet, withOlderNames } from '../config-legacy.ts';
import { withSecretFiles } from '../node/secret-files.ts';
import { migrate, rollback } from '../platform/postgres-migrations.ts';
import { reason } from './reason.ts';

/** `npm run db:migrate` and `npm run db:rollback`: work on the database that DATABASE_URL names, or its older names. */
const command = process.argv[2];
const onWait = (what: string) => console.error(`Waiting for ${what}`);

try {
  const databaseUrl = withOlderNames(variablesSet(withSecretFiles(process.env))).set['DATABASE_URL'];
  if (databaseUrl === undefined) {
    console.error('DATABASE_URL is not set');
    process.exitCode = 1;
  } else if (command === 'up') {
    await migrate(databaseUrl, { onWait });
    console.log('The schema is up to date');
  } else if (command === 'down') {
    const name = await rollback(databaseUrl, { onWait });
    console.log(name === undefined ? 'There is nothing to take back' : `Taken back: ${name}`);
  } else {
    console.error('Usage: migrate.ts up | down');
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`The schema was not changed: ${reason(error)}`);
  process.exitCode = 1;
}
