// On Node only: it is the entry for self-hosters.
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmptyDatabase, withClient } from '../db/catalog.ts';
import { freePort, launch, start } from '../support/node-entry.ts';
import { olderSecret, testSecret } from '../support/secret.ts';
import { createDatabase, password } from '../support/test-app.ts';

const variables = async (port: number) => ({
  AUTH_SECRET: testSecret,
  ISSUER: `http://localhost:${port}`,
  DATABASE_URL: await createDatabase(),
  HOST: '127.0.0.1',
  PORT: String(port),
});

const login = (base: string, headers: Record<string, string> = {}, identifier: string = crypto.randomUUID()) =>
  fetch(`${base}/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ identifier, password }),
  });

/** Sends the head of a login and waits until the server has read it. @returns what sends the body, for the status */
async function loginInTwoSteps(port: number): Promise<() => Promise<number | undefined>> {
  const body = JSON.stringify({ identifier: crypto.randomUUID(), password });
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length, Expect: '100-continue' };
  const sent = request({ port, host: '127.0.0.1', method: 'POST', path: '/auth/login', headers });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    sent.once('error', reject).once('response', (response) => resolve(response.resume().statusCode));
  });
  sent.flushHeaders();
  await new Promise((resolve) => sent.once('continue', resolve));
  return () => {
    sent.end(body);
    return answered;
  };
}

describe('the Node entry', () => {
  it('names every wrong variable at once, without values, and does not start', async () => {
    const started = start({ DATABASE_URL: 'canary', AUTH_SECRET: 'canary' });
    expect(await started.exited).toBe(1);
    expect(started.output()).toMatch(/AUTH_SECRET/);
    expect(started.output()).toMatch(/ISSUER: Required/);
    expect(started.output()).toMatch(/DATABASE_URL/);
    expect(started.output()).not.toContain('canary');
  });

  it.each([
    ['ENVIRONMENT=production', { ENVIRONMENT: 'production' }, 'DATABASE_URL: Required'],
    [
      'an address and a mail server',
      { ISSUER: 'https://auth.acme.dev', SMTP_HOST: 'mail' },
      'ISSUER, SMTP_HOST are set',
    ],
    ['a secret', { AUTH_SECRET: testSecret }, 'AUTH_SECRET is set, which looks like production'],
    ['NODE_ENV=production', { NODE_ENV: 'production' }, 'NODE_ENV is set, which looks like production'],
    ['a Redis', { REDIS_URL: 'redis://localhost' }, 'REDIS_URL is set, which looks like production'],
  ])('keeps no real accounts in an embedded database: it refuses %s without DATABASE_URL', async (_, given, told) => {
    const started = start({ DATA_DIR: '/nonexistent', ...given });
    expect(await started.exited).toBe(1);
    expect(started.output()).toContain('DATABASE_URL: Required');
    expect(started.output()).toContain(told);
    expect(started.output()).not.toContain(testSecret);
  });

  it('takes parts of an address of a database for one, by their older names', async () => {
    const port = freePort();
    const { DATABASE_URL: _, ...rest } = await variables(port);
    const started = start({
      ...rest,
      DB_USER: 'auth',
      DB_PASSWORD: 'canary',
      DB_TABLE: 'auth',
      DB_PORT: String(freePort()),
    });
    expect(await started.exited).toBe(1);
    expect(started.output()).toContain('Nothing listens at localhost:');
    expect(started.output()).not.toContain('canary');
  });

  it('does not start with a secret that opens no signing key of the database', async () => {
    const environment = await variables(freePort());
    for (const WORKERS of ['1', '2']) {
      const started = start({ ...environment, AUTH_SECRET: olderSecret, WORKERS });
      expect(await started.exited).toBe(1);
      expect(started.output()).toContain('AUTH_SECRET: this database belongs to a service with another secret');
      expect(started.output()).not.toContain(olderSecret);
    }
    await start({ ...environment, AUTH_SECRET: olderSecret, AUTH_SECRET_PREVIOUS: testSecret }).ready;
  });

  it('says at once which files it cannot read and what else is wrong', async () => {
    const started = start({ AUTH_SECRET_FILE: '/none', ISSUER: 'https://auth.example.com', PORT: 'canary' });
    expect(await started.exited).toBe(1);
    for (const told of [
      'AUTH_SECRET_FILE: the service cannot read the file (ENOENT)',
      'ISSUER: is an example',
      'PORT: ',
      'DATABASE_URL: ',
    ]) {
      expect(started.output()).toContain(told);
    }
    expect(started.output()).not.toMatch(/AUTH_SECRET: Required|canary/);
  });

  it('says that Redis and RabbitMQ do not answer, and serves', async () => {
    const port = freePort();
    const [redis, rabbitmq] = [freePort(), freePort()];
    const urls = {
      REDIS_URL: `redis://:canary@127.0.0.1:${redis}`,
      RABBITMQ_URL: `amqp://u:canary@127.0.0.1:${rabbitmq}`,
    };
    const started = start({ ...(await variables(port)), ...urls, WORKERS: '1' });
    await started.ready;
    expect(started.output()).toContain(`"event":"redis_not_reached","host":"127.0.0.1","port":"${redis}"`);
    expect(started.output()).toContain(`"event":"rabbitmq_not_reached","host":"127.0.0.1","port":"${rabbitmq}"`);
    expect(started.output()).not.toContain('canary');
  });

  it('migrates an empty database and serves; a second one on the same port gets a clear message', async () => {
    const port = freePort();
    const environment = { ...(await variables(port)), DATABASE_URL: await createEmptyDatabase() };
    const first = start(environment);
    await first.ready;
    expect(first.output()).toContain('limits_in_memory');
    expect(first.output()).toContain('mail_not_configured');
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    const second = start(environment);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`Port ${port} is in use`);
  });

  it('names the database where that does not answer, in a line as others are', async () => {
    const port = freePort();
    const url = `postgres://auth:canary@127.0.0.1:${freePort()}/auth`;
    const started = start({ ...(await variables(port)), DATABASE_URL: url });
    expect(await started.exited).toBe(1);
    const line =
      started
        .output()
        .split('\n')
        .find((each) => each.includes('start_failed')) ?? '{}';
    expect(started.output()).toMatch(
      /^Nothing listens at 127\.0\.0\.1:\d+\. Start Postgres, or correct host and port in DATABASE_URL$/m,
    );
    const told = { level: 'error', dependency: 'database', error_code: 'ECONNREFUSED', time: expect.any(String) };
    expect(JSON.parse(line)).toMatchObject(told);
    expect(started.output()).not.toContain('canary');
  });

  it.each([
    ['a queue', { EVENTS_QUEUE: 'true' }, 'EVENTS_QUEUE: only Workers have queues'],
    [
      'a certificate that is not there',
      { TLS_CERT_FILE: '/none', TLS_KEY_FILE: '/none' },
      'TLS_CERT_FILE, TLS_KEY_FILE',
    ],
  ])('refuses %s once, however many processes there are to be', async (_, wrong, message) => {
    const port = freePort();
    const started = start({ ...(await variables(port)), WORKERS: '2', ...wrong });
    expect(await started.exited).toBe(1);
    expect(started.output().split(message)).toHaveLength(2);
    expect(started.output()).not.toContain('A worker did not start');
  });

  it('ends at SIGTERM while it waits for the migration of another process', async () => {
    const environment = await variables(freePort());
    await withClient(environment.DATABASE_URL, async (other) => {
      await other.query('begin; select pg_advisory_xact_lock(111481905832309)');
      const started = start(environment);
      await expect.poll(started.output).toContain('"waits_for":"another migration"');
      started.kill('SIGTERM');
      expect(await started.exited).toBe(0);
    });
  });

  it('limits and locks the address that the socket or a trusted proxy tells, not what a client makes up', async () => {
    /** The statuses of sign-ins, and how many a limit of its address refused: three are let in, two failures lock. */
    const open = async (trusted: Record<string, string>) => {
      const port = freePort();
      const numbers = { LIMIT_LOGIN_ADDRESS: '4/60', LOCKOUT_ACCOUNT_ADDRESS: '2/60/60/60' };
      await start({ ...(await variables(port)), ...trusted, ...numbers }).ready;
      return async (name: string, hops: readonly string[]) => {
        const statuses: number[] = [];
        for (const hop of hops) {
          const made = { 'X-Forwarded-For': hop, 'CF-Connecting-IP': `203.0.113.${statuses.length + 100}` };
          statuses.push((await login(`http://127.0.0.1:${port}`, made, name)).status);
        }
        return statuses;
      };
    };
    const [direct, proxied] = await Promise.all([open({}), open({ TRUSTED_PROXIES: '127.0.0.0/8' })]);
    const madeUp = [1, 2, 3].map((time) => `203.0.113.${time}`);
    const behind = madeUp.map((hop) => `${hop}, 198.51.100.1`);
    expect(await direct('somebody', madeUp)).toEqual([401, 401, 429]);
    expect(await direct('others', madeUp)).toEqual([401, 429, 429]);
    expect(await proxied('somebody', behind)).toEqual([401, 401, 429]);
    expect(await proxied('somebody', madeUp)).toEqual([401, 401, 401]);
    expect(await proxied('others', behind)).toEqual([401, 429, 429]);
  });

  describe('as it runs', () => {
    let port: number;
    let started: ReturnType<typeof launch>;
    beforeAll(async () => {
      port = freePort();
      const smtp = { SMTP_HOST: 'localhost', SMTP_PORT: '9', MAIL_FROM: 'auth@example.com' };
      started = launch({ ...(await variables(port)), ...smtp });
      await started.ready;
      expect(started.output()).not.toContain('mail_not_configured');
    });
    afterAll(() => started.end());

    it('hashes nothing for a client that hung up', async () => {
      // Half a body, then nothing: the rest never comes.
      const socket = connect(port, '127.0.0.1');
      socket.write(
        'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"identifier":',
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      socket.destroy();
      expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const requests = started
        .output()
        .split('\n')
        .filter((line) => line.includes('"route":"/auth/login"'));
      expect(requests.join()).not.toMatch(/"status":(401|500)/);
    });

    it('takes a client that hangs up in the middle of a chunk for no failure of its own', async () => {
      const before = started.output().length;
      const newOutput = () => started.output().slice(before);
      const socket = connect(port, '127.0.0.1');
      socket.write(
        'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{',
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      socket.destroy();
      await expect.poll(newOutput).toContain('client_closed_request');
      expect(newOutput()).not.toMatch(/"level":"error"|unexpected_error/);
    });

    it('refuses a path that its parser would read as another one', async () => {
      const status = (path: string) =>
        new Promise<number | undefined>((resolve, reject) => {
          const sent = request({ port, host: '127.0.0.1', path }, (response) => resolve(response.resume().statusCode));
          sent.once('error', reject).end();
        });
      expect(await status('/auth/verify-token/../../health')).toBe(400);
      expect(await status('/auth/verify-token/%2e%2E/.%2e/health')).toBe(400);
      expect(await status('/auth/verify-token/x')).toBe(401);
      expect(await status('/health?next=/../x')).toBe(200);
    });

    it('answers the requests under way before it ends at SIGTERM', async () => {
      const base = `http://127.0.0.1:${port}`;
      await login(base);
      const under = await Promise.all(Array.from({ length: 8 }, () => loginInTwoSteps(port)));
      started.kill('SIGTERM');
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await Promise.all(under.map((finish) => finish()))).toEqual(Array(8).fill(401));
      expect(await started.exited).toBe(0);
    });
  });
});
