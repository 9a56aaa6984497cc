import { migrate, rollback } from '../platform/postgres-migrations.ts';

/** `npm run db:migrate` and `npm run db:rollback`: work on the database that DATABASE_URL names. */
const databaseUrl = process.env['DATABASE_URL'];
const command = process.argv[2];

if (databaseUrl === undefined || databaseUrl === '') {
  console.error('DATABASE_URL is not set');
  process.exitCode = 1;
} else if (command === 'up') {
  await migrate(databaseUrl);
  console.log('The schema is up to date');
} else if (command === 'down') {
  const name = await rollback(databaseUrl);
  console.log(name === undefined ? 'There is nothing to take back' : `Taken back: ${name}`);
} else {
  console.error('Usage: migrate.ts up | down');
  process.exitCode = 1;
}
