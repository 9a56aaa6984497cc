import { createAdminCommand } from './create-admin.ts';
import { reason } from './reason.ts';

/** `npm run cli -- <command>`: what an operator does with the database of the service. */
const commands: Readonly<Record<string, typeof createAdminCommand>> = { 'create-admin': createAdminCommand };

const [name = '', ...argv] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
try {
  if (command === undefined) throw new Error(`Usage: npm run cli -- ${Object.keys(commands).join(' | ')}`);
  console.log(await command(argv, process.env, process.stdin));
} catch (error) {
  console.error(reason(error));
  process.exitCode = 1;
}
