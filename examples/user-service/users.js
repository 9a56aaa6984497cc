/** What this service reacts to, by type. `data` holds email and username unless EVENTS_PERSONAL_DATA is false. */
const changes = {
  UserCreated: ({ subject, time, data }) => ({
    text: `insert into users (id, email, username, created_at) values ($1, $2, $3, $4) on conflict (id) do nothing`,
    values: [subject, data.email ?? null, data.username ?? null, time],
  }),
  EmailChanged: ({ subject, data }) => ({
    text: 'update users set email = $2 where id = $1',
    values: [subject, data.email ?? null],
  }),
  UserDeleted: ({ subject }) => ({ text: 'delete from users where id = $1', values: [subject] }),
};

export const types = Object.keys(changes);

export async function createTables(pool) {
  await pool.query(`
    create table if not exists users (id uuid primary key, email text, username text, created_at timestamptz not null);
    create table if not exists seen_events (id text primary key, seen_at timestamptz not null default now());
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
    const { rowCount } = await client.query('insert into seen_events (id) values ($1) on conflict do nothing', [
      event.id,
    ]);
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
