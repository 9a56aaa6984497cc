// On Node only: it is about the process of self-hosters.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { createRedisKeyValue } from '../../src/platform/redis.ts';
import { testSecret } from '../support/secret.ts';
import { createDatabase } from '../support/test-app.ts';

const redisUrl = inject('redisUrl');
const port = String(20_000 + Math.floor(Math.random() * 900));

it.skipIf(redisUrl === null)(
  'what a process has counted is in the sums when it has ended',
  async () => {
    // A database of Redis that no other test counts in.
    const url = Object.assign(new URL(redisUrl ?? ''), { pathname: '/7' }).href;
    const kv = createRedisKeyValue({ url });
    onTestFinished(() => kv.close());
    const counted = async () => {
      const [sums] = await kv.run([{ type: 'sums', key: 'metrics' }]);
      return sums.get(JSON.stringify(['edge_auth_http_requests_total', 'GET', '/health', '200'])) ?? 0;
    };
    const before = await counted();
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/node.ts')], {
      env: {
        ...{ PATH: process.env['PATH'], PORT: port, HOST: '127.0.0.1', ISSUER: `http://localhost:${port}` },
        ...{ DATABASE_URL: await createDatabase(), REDIS_URL: url, METRICS_INTERVAL: '20' },
        AUTH_SECRET: testSecret,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'close');
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    let output = '';
    for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      output += chunk;
      if (output.includes('ready: ')) break;
    }
    child.stdout.resume();
    for (const _ of [1, 2, 3]) expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect((await counted()) - before).toBe(3);
  },
  60_000,
);
