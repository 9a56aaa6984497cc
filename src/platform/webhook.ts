import { Webhook } from 'standardwebhooks';
import type { WebhookConfig } from '../config-events.ts';
import { EventUndelivered, publishTimeout, type Sink } from '../events/sink.ts';
import { targetProblem } from '../events/webhook-target.ts';

export interface PostRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/**
 * How a runtime posts: follows no redirect, sends no cookies, and reads nothing of the answer but its status, which it
 * gives.
 * @throws {EventUndelivered} with a code of its own, or anything else where no answer came
 */
export type Post = (request: PostRequest) => Promise<number>;

/**
 * A receiver over HTTP, as Standard Webhooks has it: the id of the event is that of the message, each secret signs, and
 * the time is that of the attempt. Only 2xx means that the event was taken.
 * @param timeout how long the receiver may take, in milliseconds
 * @throws {TypeError} where the address is none that may be called
 */
export function createWebhook(
  { name, url, secrets, allowPrivate }: WebhookConfig,
  post: Post,
  timeout = publishTimeout - 5000,
): Sink {
  const target = new URL(url);
  const problem = targetProblem(target, allowPrivate);
  if (problem !== undefined) throw new TypeError(`The address of ${name} ${problem}`);
  const signers = secrets.map((secret) => new Webhook(secret));

  return {
    name,
    async publish(event) {
      const body = JSON.stringify(event);
      const at = new Date(Date.now());
      const headers = {
        'content-type': 'application/cloudevents+json; charset=utf-8',
        'user-agent': 'edge-auth',
        'webhook-id': event.id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': signers.map((signer) => signer.sign(event.id, at, body)).join(' '),
      };
      const signal = AbortSignal.timeout(timeout);
      const status = await post({ url: target, headers, body, signal }).catch((error: unknown) => {
        if (error instanceof EventUndelivered) throw error;
        throw new EventUndelivered(signal.aborted ? 'timeout' : 'unreachable');
      });
      if (status < 200 || status >= 300) throw new EventUndelivered(codeOf(status));
    },
    close: async () => undefined,
  };
}

/** A receiver that says 410 wants no more of them: only who configured it can see to that. */
function codeOf(status: number): string {
  if (status === 410) return 'gone';
  return status >= 300 && status < 400 ? 'redirected' : `http_${status}`;
}
