import type { CloudEvent } from '../../src/events/sink.ts';

/** An event as the relay would hand it over. */
export function cloudEvent(fields: Partial<CloudEvent> = {}): CloudEvent {
  const subject = fields.subject ?? crypto.randomUUID();
  return {
    specversion: '1.0',
    id: crypto.randomUUID(),
    source: 'https://auth.test',
    type: 'UserCreated',
    subject,
    time: '2026-11-01T12:00:00.500Z',
    sequence: '0000000000000000001',
    datacontenttype: 'application/json',
    dataschema: 'https://auth.test/events/UserCreated.json',
    data: { user_id: subject, email: 'jürgen@example.com', username: 'jürgen' },
    ...fields,
  };
}
