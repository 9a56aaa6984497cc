import { withSecretFiles } from '../node/secret-files.ts';
import { cleanupCommand, cleanupUsage } from './cleanup.ts';
import { createAdminCommand, createAdminUsage } from './create-admin.ts';
import { eventsCommand, eventsUsage } from './events.ts';
import { importCommand, importUsage } from './import.ts';
import { reason } from './reason.ts';

type Environment = Readonly<Record<string, string | undefined>>;
interface Command {
  /** Takes the arguments and gives the exit code. */
  readonly run: (args: readonly string[], environment: Environment) => Promise<number>;
  readonly usage: string;
  /** One line of the general help. */
  readonly does: string;
}

async function createAdmin(args: readonly string[], environment: Environment): Promise<number> {
  console.log(await createAdminCommand(args, environment, process.stdin));
  return 0;
}

async function events(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  for (const line of await eventsCommand(args, environment)) console.log(line);
  return 0;
}

async function cleanup(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  for (const line of await cleanupCommand(args, environment)) console.log(line);
  return 0;
}

/** `npm run cli -- <command>`. */
const commands: Readonly<Record<string, Command>> = {
  cleanup: { run: cleanup, usage: cleanupUsage, does: 'deletes what is older than its retention time' },
  'create-admin': { run: createAdmin, usage: createAdminUsage, does: 'makes the first admin, or one more' },
  events: { run: events, usage: eventsUsage, does: 'lists events that were given up, or has them delivered again' },
  import: { run: importCommand, usage: importUsage, does: 'carries users over from another system' },
};
const help = [
  'Usage: npm run cli -- <command> [--help]',
  ...Object.entries(commands).map(([name, { does }]) => `  ${name.padEnd(12)}  ${does}`),
].join('\n');
const isHelp = (argument: string) => argument === '--help' || argument === '-h';

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
try {
  if (command === undefined) {
    if (isHelp(name)) console.log(help);
    else console.error(`Usage: npm run cli -- <command>. Commands: ${Object.keys(commands).join(', ')}`);
    process.exitCode = isHelp(name) ? 0 : 2;
  } else if (args.some(isHelp)) {
    console.log(command.usage);
  } else {
    process.exitCode = await command.run(args, withSecretFiles(process.env));
  }
} catch (error) {
  console.error(reason(error));
  process.exitCode = 1;
}
