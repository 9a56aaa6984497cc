import { existsSync } from 'node:fs';
import { withSecretFiles } from '../node/secret-files.ts';
import { reason } from './reason.ts';

type Environment = Readonly<Record<string, string | undefined>>;
interface Loaded {
  /** Takes the arguments and gives the exit code. */
  readonly run: (args: readonly string[], environment: Environment) => Promise<number>;
  readonly usage: string;
}
interface Command {
  /** One line of the general help. */
  readonly does: string;
  /** Reads its code, and with it the SDKs, when it is asked for. */
  readonly load: () => Promise<Loaded>;
}

function print(lines: readonly string[]): 0 {
  for (const line of lines) console.log(line);
  return 0;
}

/** `npm run cli -- <command>`. */
const commands: Readonly<Record<string, Command>> = {
  cleanup: {
    does: 'delete data that is older than its retention time',
    async load() {
      const { cleanupCommand, cleanupUsage: usage } = await import('./cleanup.ts');
      return { usage, run: async (args, given) => print(await cleanupCommand(args, given)) };
    },
  },
  'create-admin': {
    does: 'create the first admin, or another one',
    async load() {
      const { createAdminCommand, createAdminUsage: usage } = await import('./create-admin.ts');
      return { usage, run: async (args, given) => print([await createAdminCommand(args, given, process.stdin)]) };
    },
  },
  events: {
    does: 'list events that could not be delivered, or deliver them again',
    async load() {
      const { eventsCommand, eventsUsage: usage } = await import('./events.ts');
      return { usage, run: async (args, given) => print(await eventsCommand(args, given)) };
    },
  },
  import: {
    does: 'import users from another system',
    async load() {
      const { importCommand, importUsage: usage } = await import('./import.ts');
      return { usage, run: importCommand };
    },
  },
  reseal: {
    does: 'move everything to a new AUTH_SECRET, so that you can drop the old one',
    async load() {
      const { resealCommand, resealUsage: usage } = await import('./reseal.ts');
      const run: Loaded['run'] = async (args, given) => {
        const { lines, isDone } = await resealCommand(args, given);
        print(lines);
        return isDone ? 0 : 1;
      };
      return { usage, run };
    },
  },
  'rotate-keys': {
    does: 'publish the next signing key now, or list the signing keys',
    async load() {
      const { rotateKeysCommand, rotateKeysUsage: usage } = await import('./keys.ts');
      return { usage, run: async (args, given) => print(await rotateKeysCommand(args, given)) };
    },
  },
  'retire-key': {
    does: 'remove a signing key that leaked, and refuse its tokens',
    async load() {
      const { retireKeyCommand, retireKeyUsage: usage } = await import('./keys.ts');
      return { usage, run: async (args, given) => print(await retireKeyCommand(args, given)) };
    },
  },
};
const help = [
  'Usage: npm run cli -- <command> [--help]',
  '',
  'Commands:',
  ...Object.entries(commands).map(([name, { does }]) => `  ${name.padEnd(12)}  ${does}`),
  '',
  'The commands read the same variables as the service (docs/configuration.md).',
].join('\n');
const isHelp = (argument: string) => argument === '--help' || argument === '-h';

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? await commands[name]?.load() : undefined;
let environment: Environment = process.env;
try {
  if (command === undefined) {
    // Asked for or not, the list of commands is the answer; only a wrong name is a mistake.
    const isWrong = name !== '' && !isHelp(name);
    if (isWrong) console.error(`Unknown command.\n\n${help}`);
    else console.log(help);
    process.exitCode = isWrong ? 2 : 0;
  } else if (args.some(isHelp)) {
    console.log(command.usage);
  } else {
    environment = withSecretFiles(process.env);
    process.exitCode = await command.run(args, environment);
  }
} catch (error) {
  console.error(reason(error, environment));
  process.exitCode = 1;
}
if (process.exitCode !== 0 && (environment['DATABASE_URL'] ?? '') === '') hintAtDevelopment();

/** Beside a service in development, whose variables stand in a file while it runs. */
function hintAtDevelopment(): void {
  const data = environment['DATA_DIR'] || '.data';
  const found = [`${data}/wrangler/variables.env`, `${data}/variables.env`].find((path) => existsSync(path));
  if (found === undefined || command === undefined) return;
  console.error(`For the database of development: (set -a; . ${found}; npm run cli -- ${name} ...)`);
}
