import { parseArgs } from 'node:util';
import { withSecretFiles } from '../node/secret-files.ts';
import { migrate, rollback } from '../platform/postgres-migrations.ts';
import { databaseUrlOf } from './database-url.ts';
import { reason } from './reason.ts';

const usage = `Usage: migrate.ts up [--grant ROLE [--keep-audit-days DAYS]] | down
  up      applies the migrations that are missing
  down    takes the newest migration back
  --grant ROLE              lets the role of the service read and write the tables, and nothing else
  --keep-audit-days DAYS    how long that role cannot delete rows of the audit log (30)`;

/** What was asked for. @throws where it cannot be understood */
function read(args: readonly string[]) {
  const options = { grant: { type: 'string' }, 'keep-audit-days': { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const { grant: role, 'keep-audit-days': days = '30' } = values;
  const [command = '', ...others] = positionals;
  if (others.length > 0 || !['up', 'down'].includes(command)) throw new Error(usage);
  if (command === 'down' && role !== undefined) throw new Error('--grant goes with up');
  if (!/^[1-9]\d{0,3}$/.test(days)) throw new Error('--keep-audit-days: a number of days, 1 to 9999');
  return { command, grantTo: role === undefined ? undefined : { role, keepAuditDays: Number(days) } };
}

/** `npm run db:migrate` and `npm run db:rollback`: work on the database that DATABASE_URL names, or its older names. */
async function run(): Promise<number> {
  const { command, grantTo } = read(process.argv.slice(2));
  const environment = withSecretFiles(process.env);
  const onWait = (what: string) => console.error(`Waiting for ${what}`);
  try {
    const databaseUrl = databaseUrlOf(environment);
    if (databaseUrl === undefined) {
      console.error('DATABASE_URL is not set. Set it to postgres://user:password@host/database');
      return 1;
    }
    if (command === 'up') {
      await migrate(databaseUrl, { onWait, grantTo });
      console.log('The schema is up to date');
      if (grantTo !== undefined) console.log(`The role ${grantTo.role} reads and writes its tables`);
    } else {
      const name = await rollback(databaseUrl, { onWait });
      console.log(name === undefined ? 'No migration is left to roll back' : `Rolled back: ${name}`);
    }
    return 0;
  } catch (error) {
    console.error(`The schema is unchanged: ${reason(error, environment)}`);
    return 1;
  }
}

try {
  process.exitCode = await run();
} catch (error) {
  console.error(reason(error, process.env));
  process.exitCode = 1;
}
