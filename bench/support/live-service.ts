import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long it may take until it is ready: milliseconds. */
const patience = 120_000;

/**
 * The service as `npm start` or `npm run dev` start it, with data of its own, until it is disposed of.
 * @throws where it does not say in time that it is ready
 */
export async function startService(script: 'start' | 'dev', port: number): Promise<AsyncDisposable & { base: string }> {
  const data = await mkdtemp(join(tmpdir(), 'edge-auth-docs-'));
  // Postgres may run as an account of its own, which has to get through.
  await chmod(data, 0o755);
  const child = spawn('npm', ['run', '--silent', script], {
    env: { ...process.env, PORT: String(port), DATA_DIR: data, LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(data, { recursive: true, force: true });
  };
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (/^ready: /m.test(output)) resolve();
    });
    const fail = () => reject(new Error(`npm run ${script} is not ready: ${output}`));
    setTimeout(fail, patience).unref();
    void ended.then(fail);
  });
  try {
    await ready;
  } catch (error) {
    await stop();
    throw error;
  }
  return { base: `http://localhost:${port}`, [Symbol.asyncDispose]: stop };
}
