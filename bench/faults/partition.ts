import { setTimeout as sleep } from 'node:timers/promises';
import { startTcpProxy } from '../../test/support/tcp-proxy.ts';
import { password, send, tokens } from '../support/client.ts';
import { unlimited } from '../support/service.ts';
import { type Kind, startSubject, surround } from '../support/subject.ts';

/** A minute, and what a run of the scheduled work takes: milliseconds. */
const longest = 70_000;

/**
 * Of two replicas the first cannot reach the key-value store, and comes first with the scheduled work. What it signs out,
 * the other refuses within a minute; what the other signs out, it refuses at once.
 * @returns what is wrong
 */
export async function partition(kind: Kind): Promise<string[]> {
  const surroundings = await surround(kind);
  const proxy = await startTcpProxy(surroundings.keyValue.port);
  const variables = { ...unlimited, ...surroundings.variables };
  const cut = await startSubject(kind, { ...variables, ...surroundings.keyValue.at(proxy.port) });
  const other = await startSubject(kind, variables);
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
    if ((await verify(cut.base, there)) !== 401) wrong.push('the replica without a store accepts what the other ended');
    if ((await verify(cut.base, here)) !== 401) wrong.push('the replica without a store accepts what it ended itself');
    if (kind === 'Worker' && (await verify(other.base, here)) !== 200)
      wrong.push('no mark was missing: nothing is shown');
    // On Node timers of their own do so; in vain where the store cannot be reached.
    for (const replica of [cut, other]) await replica.runScheduled();
    while ((await verify(other.base, here)) !== 401 && Date.now() - signedOut < 2 * longest) await sleep(500);
    const took = Date.now() - signedOut;
    console.log(`partition, ${kind}: the other replica refused after ${(took / 1000).toFixed(1)} s`);
    if (took > longest) wrong.push('a token that was revoked lived on for more than a minute');
    if (!cut.output().includes('"step":"repeat_revocations"')) wrong.push('marks that were not written count as done');
  } finally {
    await Promise.all([cut.stop(), other.stop()]);
    await surroundings.remove();
  }
  return wrong;
}
