import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../dev/ports.ts';
import { limitVariable } from '../../src/config-limits.ts';
import { password, send, tokens } from '../support/client.ts';
import { startService } from '../support/service.ts';
import { startStores } from '../support/stores.ts';

/** An hour or a little less, in seconds: a window that does not end by itself while the case runs. */
const windowLength = () => [3600, 3400].find((length) => length - ((Date.now() / 1000) % length) > 120) ?? 3600;

/**
 * The clock of the machine goes back an hour, and then ahead: a lock lasts as long as it said, a limit that is used up
 * stays so, and a refresh token that was used long ago is not good again. By libfaketime, which Debian's package
 * `faketime` brings.
 * @returns what is wrong
 */
export async function clock(): Promise<string[]> {
  const library = ['/usr/lib/*/faketime/libfaketimeMT.so.1', '/usr/lib/*/faketime/libfaketime.so.1']
    .flatMap((pattern) => globSync(pattern))
    .find((path) => existsSync(path));
  if (library === undefined) return ['there is no libfaketime: install faketime'];
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-clock-'));
  const file = join(directory, 'time');
  const set = (offset: string) => writeFileSync(file, `${offset}\n`);
  set('+0');
  const stores = await startStores();
  const service = await startService(await freePort(), {
    ...stores.variables,
    ENVIRONMENT: 'dev',
    WORKERS: '1',
    LOG_LEVEL: 'warn',
    [limitVariable('register_address')]: `2/${windowLength()}`,
    // The shortest there may be.
    REFRESH_GRACE: '15',
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  });
  const wrong: string[] = [];
  try {
    const { base } = service;
    const dateOf = async () => Date.parse((await fetch(`${base}/healthz`)).headers.get('Date') ?? '');
    const email = 'ann@example.com';
    const first = tokens.parse((await send(base, 'POST', '/auth/register', { body: { email, password } })).answer);
    const register = () =>
      send(base, 'POST', '/auth/register', { body: { email: `${crypto.randomUUID()}@example.com`, password } });
    const used = [(await register()).status, (await register()).status];
    if (used.join() !== '201,429') wrong.push(`a limit of two registrations answers ${used.join()}`);
    const refresh = async (token: string) =>
      (await send(base, 'POST', '/auth/refresh', { body: { refresh_token: token } })).status;
    if ((await refresh(first.refresh_token)) !== 200) wrong.push('a refresh token is refused before anything happened');
    // The window of the first token closes.
    await sleep(16_000);
    const guess = () => send(base, 'POST', '/auth/login', { body: { identifier: email, password: 'a wrong guess' } });
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries += 1) statuses.push((await guess()).status);
    set('-3600');
    await sleep(1500);
    const jumped = Math.round((Date.now() - (await dateOf())) / 1000);
    const { status, retryAfter } = await guess();
    console.log(`clock: after ${jumped} s backwards the lock answers ${status}, Retry-After ${retryAfter}`);
    if (jumped < 3000) wrong.push('the clock of the process did not jump: nothing is shown');
    if (status !== 429 || Number(retryAfter) > 60) wrong.push('a lock of 60 s lasts longer after the clock went back');
    const limited = await register();
    console.log(`clock: the limit answers ${limited.status}, Retry-After ${limited.retryAfter}`);
    if (limited.status !== 429 || Number(limited.retryAfter) > 3600)
      wrong.push('a limit changed when the clock went back');
    if ((await refresh(first.refresh_token)) !== 401) wrong.push('a grace window opened again');
    set('+3600');
    const ahead = await guess();
    console.log(`clock: an hour ahead it answers ${ahead.status}, Retry-After ${ahead.retryAfter}`);
    if (ahead.status !== 429) wrong.push('a lock opened when the clock went ahead');
    if ((await register()).status !== 429) wrong.push('a limit opened when the clock went ahead');
  } finally {
    await service.stop();
    await stores.remove();
    rmSync(directory, { recursive: true, force: true });
  }
  return wrong;
}
