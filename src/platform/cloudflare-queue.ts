import { type CloudEvent, EventUndelivered, publishTimeout, type Sink } from '../events/sink.ts';

/** What a binding of a queue can do. Consumers get the event as a value, not as text. */
type EventQueue = Pick<Queue<CloudEvent>, 'send'>;

/** Whether a binding of the Worker is a queue. */
export function isQueue(binding: unknown): binding is EventQueue {
  return typeof binding === 'object' && binding !== null && 'send' in binding && typeof binding.send === 'function';
}

/**
 * Cloudflare Queues. What `send` resolves for is stored. The queue keeps no order, and delivers at least once.
 * @param timeout in milliseconds
 */
export function createCloudflareQueue(name: string, queue: EventQueue, timeout = publishTimeout - 5000): Sink {
  return {
    name,
    async publish(event) {
      const { promise: late, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => reject(new EventUndelivered('timeout')), timeout);
      // What it throws is for people to read.
      const sent = queue.send(event, { contentType: 'json' }).catch(() => {
        throw new EventUndelivered('refused');
      });
      try {
        await Promise.race([sent, late]);
      } finally {
        clearTimeout(timer);
      }
    },
    close: async () => undefined,
  };
}
