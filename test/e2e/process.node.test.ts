// On Node only: it is about the process.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCertificate } from '../support/certificate.ts';
import { freePort, start } from '../support/node-entry.ts';
import { childrenOf } from '../support/processes.ts';
import { resetEverywhere } from '../support/resets.ts';
import { testSecret } from '../support/secret.ts';
import { createDatabase } from '../support/test-app.ts';

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-process-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

const get = (port: number, path: string, agent: Agent) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, agent, rejectUnauthorized: false }, (response) =>
      resolve(response.resume()),
    );
    sent.once('error', reject).end();
  });

/** The certificate that a server shows. */
const certificateOf = (port: number) =>
  new Promise<PeerCertificate>((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path: '/healthz', rejectUnauthorized: false, agent: false });
    sent.once('error', reject).once('response', (response) => response.resume());
    sent.once('socket', (socket) => {
      const secured = socket as TLSSocket;
      secured.once('secureConnect', () => resolve(secured.getPeerCertificate()));
    });
    sent.end();
  });

describe('a process', () => {
  it('replaces a worker that ends while another one still starts', async () => {
    const port = freePort();
    const started = start({
      AUTH_SECRET: testSecret,
      ISSUER: `https://localhost:${port}`,
      DATABASE_URL: await createDatabase(),
      PORT: String(port),
      HOST: '127.0.0.1',
      WORKERS: '2',
    });
    await expect.poll(async () => (await childrenOf(started.pid)).length).toBe(2);
    const [first = 0, second = 0] = await childrenOf(started.pid);
    process.kill(second, 'SIGSTOP');
    const isServed = () =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(isServed).toBe(true);
    expect(started.output()).not.toContain('ready: ');
    process.kill(first, 'SIGKILL');
    await expect.poll(started.output).toContain('worker_ended');
    await expect.poll(async () => (await childrenOf(started.pid)).length).toBe(2);
    process.kill(second, 'SIGCONT');
    await started.ready;
    expect(await childrenOf(started.pid)).toContain(second);
    process.kill(second, 'SIGKILL');
    await expect.poll(isServed).toBe(true);
    started.kill('SIGTERM');
    expect(await started.exited).toBe(0);
  });

  it('speaks TLS with changing certificates, outlives connections that clients reset, replaces workers that ended, all at once too, and tells that it is about to end', async () => {
    const directory = place();
    const [cert, key, database] = ['cert.pem', 'key.pem', 'database'].map((name) => join(directory, name));
    if (cert === undefined || key === undefined || database === undefined) throw new Error('no paths');
    const put = (path: string, content: string) => {
      writeFileSync(`${path}.new`, content);
      renameSync(`${path}.new`, path);
    };
    const first = createCertificate();
    put(cert, first.cert);
    put(key, first.key);
    put(database, `${await createDatabase()}\n`);
    const port = freePort();
    const started = start({
      AUTH_SECRET: testSecret,
      ISSUER: `https://localhost:${port}`,
      DATABASE_URL_FILE: database,
      SSL_CERTFILE: cert,
      TLS_KEY_FILE: key,
      PORT: String(port),
      HOST: '127.0.0.1',
      WORKERS: '2',
      SHUTDOWN_DELAY: '2',
    });
    await started.ready;
    expect(started.output().match(/ready: .*/g)).toEqual([`ready: https://localhost:${port}`]);
    for (const told of ['limits_in_memory', 'variable_has_a_new_name']) {
      expect(started.output().split(`"${told}"`)).toHaveLength(2);
    }
    const shown = await certificateOf(port);

    const old = connectTls({
      port,
      host: '127.0.0.1',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      rejectUnauthorized: false,
    });
    await expect(new Promise((_, reject) => old.once('error', reject))).rejects.toThrow();

    put(key, 'not a key');
    await expect.poll(started.output).toContain('tls_not_reloaded');
    expect(started.output()).not.toContain('not a key');
    expect((await certificateOf(port)).fingerprint256).toBe(shown.fingerprint256);

    const second = createCertificate();
    put(cert, second.cert);
    put(key, second.key);
    const print = async () => (await certificateOf(port)).fingerprint256;
    await expect.poll(print).not.toBe(shown.fingerprint256);
    expect(started.output()).toContain('"event":"tls_reloaded"');

    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const before = await get(port, '/readyz', agent);
    expect([before.statusCode, before.headers.connection]).toEqual([200, 'keep-alive']);

    const workers = await childrenOf(started.pid);
    expect(workers).toHaveLength(2);
    for (let round = 0; round < 4; round += 1) await resetEverywhere(port, true);
    expect(await childrenOf(started.pid)).toEqual(workers);
    expect(started.output()).not.toContain('worker_ended');

    process.kill(workers[0] ?? 0, 'SIGKILL');
    await expect.poll(started.output).toContain('worker_ended');
    await expect.poll(async () => (await childrenOf(started.pid)).length).toBe(2);
    expect((await get(port, '/healthz', agent)).statusCode).toBe(200);

    for (const worker of await childrenOf(started.pid)) process.kill(worker, 'SIGKILL');
    await expect.poll(() => started.output().match(/worker_ended/g)?.length).toBe(3);
    await expect.poll(async () => (await childrenOf(started.pid)).length).toBe(2);
    const answers = () =>
      get(port, '/healthz', agent).then(
        ({ statusCode }) => statusCode,
        () => undefined,
      );
    await expect.poll(answers).toBe(200);

    started.kill('SIGTERM');
    await expect.poll(async () => (await get(port, '/readyz', agent)).statusCode, { interval: 20 }).toBe(503);
    const last = await get(port, '/healthz', agent);
    expect([last.statusCode, last.headers.connection]).toEqual([200, 'close']);
    expect(await started.exited).toBe(0);
  });
});
