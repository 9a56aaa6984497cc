import { setTimeout as sleep } from 'node:timers/promises';
import { send, tokens } from './client.ts';

const generationOf = (token: string) => Number(token.split('.')[1]);

/** What became of a client, and how often it had to ask again. */
export interface Outcome {
  /** Its tokens, oldest first. */
  readonly tokens: string[];
  refusals: number;
  attempts: number;
  signedOut: boolean;
}

/**
 * Refreshes as an honest client does, until a time: it shows the newest token that it has; where it is told to wait it
 * waits; sometimes it gives up before the answer and asks elsewhere at once, and sometimes two tabs ask together.
 */
export async function beHonest(bases: readonly string[], first: string, isOver: () => boolean): Promise<Outcome> {
  const outcome: Outcome = { tokens: [first], refusals: 0, attempts: 0, signedOut: false };
  const chance = (share: number) => Math.random() < share;

  async function attempt(token: string, base: string): Promise<{ token: string; wait: number }> {
    outcome.attempts += 1;
    const patience = chance(0.2) ? 200 + Math.random() * 3000 : 20_000;
    const answered = send(base, 'POST', '/auth/refresh', { body: { refresh_token: token } }, patience);
    const { status, retryAfter, answer } = await answered.catch(() => ({ status: 0, retryAfter: null, answer: '' }));
    if (status === 200) return { token: tokens.parse(answer).refresh_token, wait: 0 };
    outcome.refusals += 1;
    if (status === 401) outcome.signedOut = true;
    else if (status !== 0 && status !== 503) throw new Error(`Answered ${status}`);
    return { token, wait: status === 503 ? Number(retryAfter) * 1000 : 0 };
  }

  let turn = Math.floor(Math.random() * bases.length);
  while (!isOver() && !outcome.signedOut) {
    const token = outcome.tokens.at(-1) ?? first;
    const tabs = Array.from({ length: chance(0.2) ? 2 : 1 }, () => {
      turn += 1;
      return attempt(token, bases[turn % bases.length] ?? '');
    });
    const answers = await Promise.all(tabs);
    const [newest = { token, wait: 0 }] = answers.toSorted((a, b) => generationOf(b.token) - generationOf(a.token));
    if (newest.token !== token) outcome.tokens.push(newest.token);
    await sleep(newest.token === token ? newest.wait : Math.random() * 400);
  }
  return outcome;
}
