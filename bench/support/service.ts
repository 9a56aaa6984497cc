import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { limitVariable, lockoutVariable } from '../../src/config-limits.ts';
import { lockoutNames, policyNames } from '../../src/limits/policies.ts';

const root = join(import.meta.dirname, '../..');
/** The same for all services of one check. */
export const benchSecret = randomBytes(32).toString('base64');

export interface Service {
  readonly port: number;
  /** `http://127.0.0.1:port`. */
  readonly base: string;
  readonly pid: number | undefined;
  /** Resolves with its exit code. */
  readonly exited: Promise<number | null>;
  /** Its lines of the log that say this, parsed. */
  events(name: string): Record<string, unknown>[];
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** No limit and no lock is in the way of a measurement. */
export const unlimited: Readonly<Record<string, string>> = Object.fromEntries([
  ...policyNames.map((name) => [limitVariable(name), '1000000/60']),
  ...lockoutNames.map((name) => [lockoutVariable(name), '1000000/1/1/60']),
]);

/**
 * Starts the service on Node, on 127.0.0.1, and resolves when it serves.
 * @param options of Node itself
 */
export async function startService(
  port: number,
  variables: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<Service> {
  const child = spawn(process.execPath, [...options, 'src/node.ts'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      AUTH_SECRET: benchSecret,
      ISSUER: 'http://localhost:3000',
      HOST: '127.0.0.1',
      PORT: String(port),
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('ready: ')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void exited.then(() => reject(new Error(`The service did not start: ${output}`)));
  });
  const events = (name: string) =>
    output
      .split('\n')
      .filter((line) => line.includes(`"event":"${name}"`))
      .map((line): Record<string, unknown> => JSON.parse(line));
  const stop = () => {
    child.kill('SIGTERM');
    return exited;
  };
  return {
    port,
    base: `http://127.0.0.1:${port}`,
    pid: child.pid,
    exited,
    events,
    output: () => output,
    kill: (signal) => child.kill(signal),
    stop,
  };
}
