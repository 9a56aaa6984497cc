import { withSecretFiles } from '../node/secret-files.ts';
import { createAdminCommand } from './create-admin.ts';
import { eventsCommand } from './events.ts';
import { importCommand } from './import.ts';
import { reason } from './reason.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Command = (args: readonly string[], environment: Environment) => Promise<number>;

async function createAdmin(args: readonly string[], environment: Environment): Promise<number> {
  console.log(await createAdminCommand(args, environment, process.stdin));
  return 0;
}

async function events(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  for (const line of await eventsCommand(args, environment)) console.log(line);
  return 0;
}

/** `npm run cli -- <command>`: one line for each. A command takes its arguments and gives its exit code. */
const commands: Readonly<Record<string, Command>> = {
  'create-admin': createAdmin,
  events,
  import: importCommand,
};

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
try {
  if (command === undefined) {
    console.error(`Usage: npm run cli -- <command>. Commands: ${Object.keys(commands).join(', ')}`);
    process.exitCode = 2;
  } else {
    process.exitCode = await command(args, withSecretFiles(process.env));
  }
} catch (error) {
  console.error(reason(error));
  process.exitCode = 1;
}
