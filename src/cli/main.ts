import { importCommand } from './import.ts';

/** `npm run cli -- <command>`: one line for each. A command takes its arguments and gives its exit code. */
const commands: Readonly<Record<string, (args: readonly string[], environment: NodeJS.ProcessEnv) => Promise<number>>> =
  {
    import: importCommand,
  };

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (command === undefined) {
  console.error(`Usage: npm run cli -- <command>. Commands: ${Object.keys(commands).join(', ')}`);
  process.exitCode = 2;
} else {
  process.exitCode = await command(args, process.env);
}
