import { type CloudEvent, EventUndelivered, type Sink } from '../../src/events/sink.ts';
import type { TestApp } from './test-app.ts';

/** The variables with which events are enqueued to webhooks of these names. */
export const webhooks = (
  ...hooks: readonly (string | { readonly name: string; readonly types: readonly string[] })[]
) => ({
  WEBHOOKS: JSON.stringify(
    hooks.map((hook) => ({
      ...(typeof hook === 'string' ? { name: hook } : hook),
      url: 'https://consumer.example.com/events',
      secrets: [`whsec_${btoa('a secret of the consumer that is long')}`],
    })),
  ),
});

export interface TestSink extends Sink {
  /** What was taken, in the order it came, repeated ones too. */
  readonly taken: CloudEvent[];
  /** How often it was asked. */
  readonly asked: () => number;
  /** Refuses everything while it is down. */
  isDown: boolean;
}

/**
 * Takes the events that are enqueued to the webhook of a name.
 * @param act may throw, or hang, before an event is taken
 */
export function collectingSink(name: string, act: (event: CloudEvent) => unknown = () => undefined): TestSink {
  const taken: CloudEvent[] = [];
  let asked = 0;
  const sink: TestSink = {
    name: `webhook:${name}`,
    taken,
    asked: () => asked,
    isDown: false,
    async publish(event) {
      asked += 1;
      if (sink.isDown) throw new EventUndelivered('unreachable');
      await act(event);
      taken.push(event);
    },
    close: async () => undefined,
  };
  return sink;
}

/** What a sink took and nobody asked for yet, as type and data; takes it away. */
export function drain(sink: TestSink, about?: string): [type: string, data: Readonly<Record<string, unknown>>][] {
  const events = sink.taken.splice(0).filter(({ subject }) => about === undefined || subject === about);
  return events.map(({ type, data }) => [type, data]);
}

/** The events that wait or were given up, oldest first. */
export async function waiting({ deps }: TestApp): Promise<Readonly<Record<string, unknown>>[]> {
  const result: unknown = await deps.db.execute(
    "select type, sink, subject, attempts, dead, last_error from outbox where kind = 'event' order by position",
  );
  return (result as { rows: Readonly<Record<string, unknown>>[] }).rows;
}
