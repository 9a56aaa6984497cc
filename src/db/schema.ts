import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';

export * from './schema-administration.ts';
export * from './schema-outbox.ts';
export * from './schema-sessions.ts';

/**
 * People. What identifies a person is sealed (`*_sealed`, AES-256-GCM); what has to be found has a blind index beside
 * it (`*_index`, HMAC). The username is public by nature and stands as it was typed.
 */
export const users = pgTable(
  'users',
  {
    id: uuid('id').primaryKey(),
    username: text('username'),
    /** The username in the one form that counts as the same: NFKC, lower case. */
    usernameKey: text('username_key'),
    /** What the key looks like, where that is another name: `аdmin` with a Cyrillic letter looks like `admin`. */
    usernameSkeleton: text('username_skeleton'),
    emailIndex: text('email_index'),
    emailSealed: text('email_sealed'),
    emailVerifiedAt: time('email_verified_at'),
    phoneIndex: text('phone_index'),
    phoneSealed: text('phone_sealed'),
    /** JSON: name, surname. */
    profileSealed: text('profile_sealed'),
    /** PHC string; null where no password is set. */
    passwordHash: text('password_hash'),
    /** BCP 47, in its canonical form: the language of mails. */
    locale: text('locale'),
    status: text('status', { enum: ['active', 'disabled'] })
      .notNull()
      .default('active'),
    roles: text('roles').array().notNull().default(['user']),
    /** When they last became others: access tokens from before are refused. */
    rolesChangedAt: time('roles_changed_at'),
    /** Raised to end all sessions at once: a session of an older epoch is dead, whatever its row says. */
    sessionEpoch: integer('session_epoch').notNull().default(0),
    /** Raised by each change of what the profile shows: its ETag derives from this. */
    version: integer('version').notNull().default(0),
    createdAt: time('created_at').notNull(),
    updatedAt: time('updated_at').notNull(),
  },
  (table) => [
    uniqueIndex('users_username_key').on(table.usernameKey),
    /** Nobody gets a name that looks like another one's. */
    uniqueIndex('users_username_skeleton_key').on(sql`coalesce(${table.usernameSkeleton}, ${table.usernameKey})`),
    uniqueIndex('users_email_index_key').on(table.emailIndex),
    index('users_phone_index').on(table.phoneIndex),
    /** Newest first; the id alone does not tell, since other systems' users keep theirs. */
    index('users_by_creation').on(table.createdAt, table.id),
    index('users_by_status').on(table.status, table.createdAt, table.id),
    /** For the admins. Nothing waits in a list that every search would read: a search costs the same at all times. */
    index('users_roles').using('gin', table.roles).with({ fastupdate: false }),
    /** For prefixes: in the order of bytes, whatever the database sorts by. */
    index('users_username_prefix').on(sql`${table.usernameKey} collate "C"`),
    index('users_roles_changed_at').on(table.rolesChangedAt).where(sql`${table.rolesChangedAt} is not null`),
  ],
);

/** One row for the whole life of a session, however often its refresh token rotates. */
export const sessions = pgTable(
  'sessions',
  {
    id: uuid('id').primaryKey(),
    /** No foreign key: the deletion of a user must not take as long as all sessions take. Without one they are dead. */
    userId: uuid('user_id').notNull(),
    clientId: text('client_id').notNull(),
    scope: text('scope').notNull(),
    /** The user's `session_epoch` when the session started. */
    epoch: integer('epoch').notNull(),
    /** Of the refresh token that is good now; the one before it is good for the grace window. */
    generation: integer('generation').notNull().default(0),
    rotatedAt: time('rotated_at').notNull(),
    /**
     * Since when that generation and the one before it are there, by the clock of the database. A trigger notes it,
     * whichever statement steps. Null where no step was noted yet.
     */
    currentSince: time('current_since'),
    previousSince: time('previous_since'),
    authenticatedAt: time('authenticated_at').notNull(),
    createdAt: time('created_at').notNull(),
    expiresAt: time('expires_at').notNull(),
    endedAt: time('ended_at'),
    endedReason: text('ended_reason', {
      enum: [
        'logout',
        'logout_all',
        'revoked',
        'refresh_token_reuse',
        'password_changed',
        'email_changed',
        'session_limit',
        'user_disabled',
        'password_removed',
      ],
    }),
    /** Truncated to /24 or /48. */
    address: text('address'),
    userAgent: text('user_agent'),
  },
  (table) => [
    index('sessions_open_by_user').on(table.userId, table.epoch, table.id).where(sql`${table.endedAt} is null`),
    index('sessions_by_user').on(table.userId, table.id),
    index('sessions_ended_at').on(table.endedAt).where(sql`${table.endedAt} is not null`),
    index('sessions_expires_at').on(table.expiresAt),
  ],
);

/**
 * RSA keys. The state of a key follows from the clock and its successor's `signs_from`, so that no isolate has to be
 * told of a change: published-next before it, signing from it on, published-retired from the successor's on.
 */
export const signingKeys = pgTable('signing_keys', {
  /** 1, 2, 3 …: two isolates that both want to make the next key meet at this number, and one of them wins. */
  ordinal: integer('ordinal').primaryKey(),
  kid: text('kid').notNull().unique(),
  publicJwk: jsonb('public_jwk').notNull(),
  /** The private JWK, as JSON. */
  privateSealed: text('private_sealed').notNull(),
  signsFrom: time('signs_from').notNull(),
  createdAt: time('created_at').notNull(),
});

/**
 * What `users.roles` says, as a row for each, so that who has a role is listed in order by an index of that role. A
 * trigger of `users` keeps it right, whichever statement changes them.
 */
export const userRoles = pgTable(
  'user_roles',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: text('role').notNull(),
    status: text('status', { enum: ['active', 'disabled'] }).notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.role] }),
    index('user_roles_by_role').on(table.role, table.createdAt, table.userId),
    index('user_roles_by_status').on(table.role, table.status, table.createdAt, table.userId),
  ],
);

/**
 * What a mail carries: stored as a hash, good once, gone when it is used. Its id is that of the mail in the outbox. A
 * link that has verified an address stays until it expires as `email_verified`: it does nothing any more, and the page
 * can say that the address is confirmed already.
 */
export const oneTimeTokens = pgTable(
  'one_time_tokens',
  {
    id: uuid('id').primaryKey(),
    purpose: text('purpose', {
      enum: ['verify_email', 'email_verified', 'reset_password', 'change_email', 'undo_email_change'],
    }).notNull(),
    /** Null for a registration that waits until its address is verified. */
    userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
    /** Of the address that it was sent to. */
    emailIndex: text('email_index').notNull(),
    tokenHash: text('token_hash').notNull().unique(),
    /** The short code of the same mail: a keyed hash, and how long it is good. */
    codeHash: text('code_hash'),
    codeExpiresAt: time('code_expires_at'),
    /** JSON: what happens when the token is used. */
    dataSealed: text('data_sealed'),
    createdAt: time('created_at').notNull(),
    expiresAt: time('expires_at').notNull(),
  },
  (table) => [
    index('one_time_tokens_by_user').on(table.userId),
    index('one_time_tokens_by_email').on(table.emailIndex, table.purpose),
    index('one_time_tokens_expires_at').on(table.expiresAt),
  ],
);

/**
 * How often codes were tried, for each purpose and address: also for addresses that hold none, so that a try costs the
 * same for each.
 */
export const codeAttempts = pgTable(
  'code_attempts',
  {
    /** The purpose and the blind index of the address. */
    key: text('key').primaryKey(),
    attempts: integer('attempts').notNull(),
    forgottenAt: time('forgotten_at').notNull(),
  },
  (table) => [index('code_attempts_forgotten_at').on(table.forgottenAt)],
);
