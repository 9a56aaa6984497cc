/** What this service reads of an event. */
interface AuthEvent {
  readonly id: string;
  readonly type: string;
  /** The user. */
  readonly subject: string;
  /** Of a fixed width, so that the order of texts is that of the events of a user. Two may have the same `time`. */
  readonly sequence: string;
  readonly email: string | null;
  readonly username: string | null;
}

/** @throws {TypeError} where it is not an event */
export function readEvent(body: unknown): AuthEvent {
  const event = new Map(Object.entries(body ?? {}));
  const data = new Map(Object.entries(event.get('data') ?? {}));
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const [id, type, subject, sequence] = ['id', 'type', 'subject', 'sequence'].map((name) => text(event.get(name)));
  if (!id || !type || !subject || !sequence) throw new TypeError('Not an event');
  return { id, type, subject, sequence, email: text(data.get('email')), username: text(data.get('username')) };
}

const isNew = 'not exists (select 1 from seen_events where id = ?1)';
/** A queue keeps no order: what happened to a user may come after the end of the account. */
const isDeleted = "exists (select 1 from seen_events where subject = ?2 and type = 'UserDeleted')";
/** The first event makes the row, whichever it is; of the addresses the last one stands. */
const upsert = `insert into users (id, email, username, email_sequence) select ?2, ?3, ?4, ?5 where ${isNew} and not ${isDeleted}
  on conflict (id) do update set
    username = coalesce(excluded.username, username),
    email = iif(excluded.email_sequence > email_sequence, excluded.email, email),
    email_sequence = max(excluded.email_sequence, email_sequence)`;

/**
 * Applies an event once, however often it comes: that it was seen is written in the same transaction, which a batch of D1
 * is.
 */
export async function apply(
  db: D1Database,
  { id, type, subject, sequence, email, username }: AuthEvent,
): Promise<void> {
  const statements: D1PreparedStatement[] = [];
  if (type === 'UserCreated' || type === 'EmailChanged') {
    statements.push(db.prepare(upsert).bind(id, subject, email, username, sequence));
  }
  if (type === 'UserDeleted') {
    statements.push(db.prepare(`delete from users where ${isNew} and id = ?2`).bind(id, subject));
  }
  const seen = 'insert into seen_events (id, subject, type, sequence) values (?, ?, ?, ?) on conflict do nothing';
  statements.push(db.prepare(seen).bind(id, subject, type, sequence));
  await db.batch(statements);
}
