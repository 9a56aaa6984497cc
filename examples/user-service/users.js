/**
 * The first of these makes the row, whichever it is; of the addresses the last one stands. `sequence` has a fixed width, so
 * the order of texts is that of the events; two may have the same time.
 */
const keep = ({ subject, sequence, data }) => ({
  text: `insert into users (id, email, username, email_sequence)
    select $1, $2, $3, $4 where not exists (select from seen_events where subject = $1 and type = 'UserDeleted')
    on conflict (id) do update set
      username = coalesce(excluded.username, users.username),
      email = case when excluded.email_sequence > users.email_sequence then excluded.email else users.email end,
      email_sequence = greatest(excluded.email_sequence, users.email_sequence)`,
  values: [subject, data.email ?? null, data.username ?? null, sequence],
});

/** What this service reacts to, by type. Email and username are null where EVENTS_PERSONAL_DATA is false. */
const changes = {
  UserCreated: keep,
  EmailChanged: keep,
  UserDeleted: ({ subject }) => ({ text: 'delete from users where id = $1', values: [subject] }),
};

export const types = Object.keys(changes);

export async function createTables(pool) {
  await pool.query(`
    create table if not exists users (id uuid primary key, email text, username text, email_sequence text not null);
    create table if not exists seen_events (
      id text primary key, subject uuid not null, type text not null, seen_at timestamptz not null default now()
    );
    create index if not exists seen_events_subject on seen_events (subject, type);
  `);
}

/**
 * Applies an event once, however often it comes: that it was seen is written by the transaction that applies it.
 * @returns whether it is a new one
 */
export async function apply(pool, event) {
  const change = Object.hasOwn(changes, event.type) ? changes[event.type] : undefined;
  const client = await pool.connect();
  let failure;
  try {
    await client.query('begin');
    const seen = 'insert into seen_events (id, subject, type) values ($1, $2, $3) on conflict do nothing';
    const { rowCount } = await client.query(seen, [event.id, event.subject, event.type]);
    const isNew = rowCount === 1;
    if (isNew && change !== undefined) await client.query(change(event));
    await client.query('commit');
    return isNew;
  } catch (error) {
    failure = error;
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    // A connection whose transaction failed may be broken: it is not used again.
    client.release(failure);
  }
}
