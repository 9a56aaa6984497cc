import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../dev/ports.ts';
import { startStores } from '../support/stores.ts';

const requests = 4000;
/** What the service may take more while nobody reads: MiB. */
const room = 64;

const residentSize = (pid: number) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/**
 * Nobody reads the log: first its reader is slow, then it is gone. The service goes on, in bounded memory.
 * @returns what is wrong
 */
export async function logOutput(): Promise<string[]> {
  const stores = await startStores();
  const port = await freePort();
  const child = spawn(process.execPath, ['src/node.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    env: {
      PATH: process.env['PATH'],
      ...stores.variables,
      ENVIRONMENT: 'dev',
      AUTH_SECRET: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url'),
      ISSUER: `http://127.0.0.1:${port}`,
      HOST: '127.0.0.1',
      PORT: String(port),
      WORKERS: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const wrong: string[] = [];
  const ask = async (times: number) => {
    for (let n = 0; n < times; n += 1) {
      const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(10_000) });
      await response.text();
      if (response.status !== 200) throw new Error(`answered ${response.status}`);
    }
  };
  try {
    await new Promise<void>((resolve, reject) => {
      let read = '';
      child.stdout.on('data', (chunk) => {
        read += String(chunk);
        if (read.includes('ready: ')) resolve();
      });
      void exited.then(() => reject(new Error(`The service did not start: ${read}`)));
    });
    await ask(500);
    const before = residentSize(child.pid ?? 0);
    child.stdout.removeAllListeners('data').pause();
    await ask(requests);
    const grown = residentSize(child.pid ?? 0) - before;
    console.log(`log output: ${requests} requests that nobody reads of cost ${grown.toFixed(0)} MiB`);
    if (grown > room) wrong.push('a slow reader of the log costs too much memory');
    child.stdout.destroy();
    child.stderr.destroy();
    await ask(200);
    console.log(`log output: closed, and ${child.exitCode === null ? 'the service goes on' : 'the service has ended'}`);
    if (child.exitCode !== null) wrong.push('the service ended with the reader of its log');
  } catch (error) {
    wrong.push(`the service stopped answering: ${error}`);
  } finally {
    child.kill('SIGTERM');
    await exited;
    await stores.remove();
  }
  return wrong;
}
