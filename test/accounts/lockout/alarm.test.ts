import { describe, expect, it } from 'vitest';
import { addressOf, login, right, setUp, statuses } from './guesses.ts';

describe('failures of the whole service', () => {
  it('raise an alarm once a window, whatever accounts and addresses they are for', async () => {
    const { app, user } = await setUp({ variables: { LIMIT_LOGIN_FAILURES: '5/60' } });
    const alarms = () => app.logLines.filter((line) => JSON.parse(line).event === 'login_failures_alarm');
    const fail = (index: number) => login(app, `nobody-${index}`, { address: addressOf(index) });
    for (let index = 0; index < 5; index += 1) await fail(index);
    await statuses(5, () => right(app, user.email));
    expect(alarms()).toEqual([]);
    for (let index = 5; index < 15; index += 1) await fail(index);
    expect(alarms()).toHaveLength(1);
    expect(JSON.parse(alarms()[0] ?? '')).toMatchObject({ level: 'error', limit: 5, window_s: 60 });
    app.clock.advance(120);
    for (let index = 0; index < 8; index += 1) await fail(index);
    expect(alarms()).toHaveLength(2);
  });
});
