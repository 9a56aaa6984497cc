import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { send } from '../support/client.ts';

/** Writes are asked for every five seconds. Milliseconds. */
const patience = 20_000;
const readiness = z.object({ dependencies: z.object({ database: z.object({ status: z.string() }) }) });

/**
 * Waits until `/readyz` has a status and says so of the database.
 * @returns how long it took; undefined where it never did
 */
export async function waitForReadiness(base: string, status: number, database: string): Promise<string | undefined> {
  const begun = Date.now();
  while (Date.now() - begun < patience) {
    const { status: is, answer } = await send(base, 'GET', '/readyz');
    const said = readiness.safeParse(answer).data?.dependencies.database.status;
    if (is === status && said === database) return `${((Date.now() - begun) / 1000).toFixed(1)} s`;
    await sleep(200);
  }
  return undefined;
}
