// Keeps a table of users of its own, from the events of the auth service: see README.md.
import { apply, readEvent } from './users.ts';

interface Env {
  readonly DB: D1Database;
}

export default {
  /** One message that cannot be stored holds up no other of its batch: each is acknowledged, or tried again, by itself. */
  async queue(batch, { DB }) {
    for (const message of batch.messages) {
      try {
        await apply(DB, readEvent(message.body));
        message.ack();
      } catch (error) {
        // Of what came, the id alone: the rest is personal data.
        console.error({
          message: message.id,
          attempts: message.attempts,
          error: error instanceof Error ? error.name : '',
        });
        message.retry();
      }
    }
  },
} satisfies ExportedHandler<Env, unknown>;
