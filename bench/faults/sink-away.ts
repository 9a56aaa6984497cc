import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../dev/ports.ts';
import { password, send } from '../support/client.ts';
import { unlimited } from '../support/service.ts';
import { type Kind, startCron, startSubject, surround } from '../support/subject.ts';

const people = 60;
/**
 * How soon the first event is delivered when a sink is back: milliseconds. On Node a timer asks every five seconds, on Workers
 * a cron trigger or a request has to come.
 */
const first: Readonly<Record<Kind, number>> = { Node: 15_000, Worker: 70_000 };
/** How soon all are: what another relay may have under way waits for two minutes. */
const longest = 130_000;

/**
 * A sink is away while people register, and comes back: what waits is delivered at once.
 * @returns what is wrong
 */
export async function sinkAway(kind: Kind): Promise<string[]> {
  /** When each was taken for the first time. */
  const taken = new Map<string, number>();
  let isDown = true;
  const sink = createServer((request, response) => {
    request.resume().once('end', () => {
      const id = String(request.headers['webhook-id']);
      if (!isDown && !taken.has(id)) taken.set(id, Date.now());
      response.writeHead(isDown ? 503 : 200).end();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => sink.listen(port, '127.0.0.1', resolve));
  const surroundings = await surround(kind);
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64');
  const hook = { name: 'check', url: `http://127.0.0.1:${port}/events`, secrets: [`whsec_${secret}`] };
  const service = await startSubject(kind, {
    ...unlimited,
    ...surroundings.variables,
    LOG_LEVEL: 'error',
    WEBHOOKS: JSON.stringify([hook]),
    WEBHOOK_ALLOW_PRIVATE: 'true',
  });
  const stopCron = startCron(service);
  const wrong: string[] = [];
  const register = async () => {
    const body = { email: `${crypto.randomUUID()}@example.com`, password };
    const { status } = await send(service.base, 'POST', '/auth/register', { body });
    if (status !== 201) throw new Error(`A registration was answered ${status}`);
  };
  try {
    for (let n = 0; n < people; n += 1) await register();
    await sleep(35_000);
    isDown = false;
    const back = Date.now();
    // Each registration makes two events.
    while (taken.size < 2 * people && Date.now() - back < 150_000) await sleep(200);
    const took = [...taken.values()].map((time) => time - back);
    const seconds = (index: number) => `${((took.at(index) ?? Number.NaN) / 1000).toFixed(1)} s`;
    console.log(
      `sink away, ${kind}: ${taken.size} of ${2 * people} events, the first after ${seconds(0)}, ` +
        `half of them after ${seconds(people)}, the last after ${seconds(-1)}`,
    );
    if ((took[0] ?? longest) > first[kind]) wrong.push('recovery does not start at once');
    if (taken.size < 2 * people || (took.at(-1) ?? longest) > longest) wrong.push('recovery does not go on to the end');
  } finally {
    stopCron();
    await service.stop();
    await surroundings.remove();
    sink.closeAllConnections();
    sink.close();
  }
  return wrong;
}
