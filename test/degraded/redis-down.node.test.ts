// Node only: it stops and starts a real Redis. `redis-down.workerd.test.ts` does the like with the Upstash bridge.
import { describe, onTestFinished } from 'vitest';
import { createRedisKeyValue } from '../../src/platform/redis.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { blackHoleSuite, redisDownSuite } from './redis-down-suite.ts';

const first = await startRedisServer();

describe.skipIf(first === undefined)('Redis over TCP', () => {
  redisDownSuite(async () => {
    let server = first;
    return {
      open: () => createRedisKeyValue({ url: server?.url ?? '' }),
      stop: async () => server?.stop(),
      async restart() {
        server = await startRedisServer(server?.port);
      },
      close: async () => server?.stop(),
    };
  });
});

blackHoleSuite(async () => {
  const hole = await startTcpProxy();
  onTestFinished(hole.stop);
  return createRedisKeyValue({ url: `redis://127.0.0.1:${hole.port}` });
});
