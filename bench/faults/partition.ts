import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../dev/ports.ts';
import { startTcpProxy } from '../../test/support/tcp-proxy.ts';
import { password, send, tokens } from '../support/client.ts';
import { startService, unlimited } from '../support/service.ts';
import { startStores } from '../support/stores.ts';

/** A minute, and what a run of the scheduled work takes: milliseconds. */
const longest = 70_000;

/**
 * Of two replicas the first cannot reach Redis, and comes first with the scheduled work. What it signs out, the other
 * refuses within a minute; what the other signs out, it refuses at once.
 * @returns what is wrong
 */
export async function partition(): Promise<string[]> {
  const stores = await startStores();
  const redis = new URL(stores.variables.REDIS_URL);
  const proxy = await startTcpProxy(Number(redis.port));
  const variables = { ...unlimited, ...stores.variables, WORKERS: '1', LOG_LEVEL: 'warn', ENVIRONMENT: 'dev' };
  const behind = { ...variables, REDIS_URL: `redis://127.0.0.1:${proxy.port}` };
  const cut = await startService(await freePort(), behind);
  const other = await startService(await freePort(), variables);
  const wrong: string[] = [];
  try {
    const verify = async (base: string, bearer: string) =>
      (await send(base, 'GET', '/auth/verify-token', { bearer })).status;
    const logout = (base: string, bearer: string) => send(base, 'POST', '/auth/logout', { bearer });
    const credentials = { email: 'ann@example.com', password };
    const first = tokens.parse((await send(cut.base, 'POST', '/auth/register', { body: credentials })).answer);
    // Tokens of about the time when the store began to know are looked up in any case.
    await verify(other.base, first.access_token);
    await sleep(62_000);
    const login = async () => {
      const body = { identifier: credentials.email, password };
      return tokens.parse((await send(other.base, 'POST', '/auth/login', { body })).answer).access_token;
    };
    const [here, there] = [await login(), await login()];
    await proxy.stop();
    await logout(cut.base, here);
    const signedOut = Date.now();
    await logout(other.base, there);
    if ((await verify(cut.base, there)) !== 401) wrong.push('the replica without Redis accepts what the other ended');
    if ((await verify(cut.base, here)) !== 401) wrong.push('the replica without Redis accepts what it ended itself');
    while ((await verify(other.base, here)) !== 401 && Date.now() - signedOut < 2 * longest) await sleep(500);
    const took = Date.now() - signedOut;
    console.log(`partition: the other replica refused after ${(took / 1000).toFixed(1)} s`);
    if (took > longest) wrong.push('a token that was revoked lived on for more than a minute');
  } finally {
    await Promise.all([cut.stop(), other.stop()]);
    await stores.remove();
  }
  return wrong;
}
