import * as z from 'zod';
import type { EventType } from './types.ts';

const userId = z.uuid().describe('The user; the same as `subject`');
const sessionId = z.uuid();
const personal = 'Null if the user has none, or if `EVENTS_PERSONAL_DATA` is off';

/** How `data` of an event looks, and since which version. A change that consumers could notice is a new version. */
export interface EventDefinition {
  readonly version: number;
  readonly description: string;
  readonly data: z.ZodObject;
}

const define = <Data extends z.ZodObject>(version: number, description: string, data: Data) => ({
  version,
  description,
  data: data.extend({ user_id: userId }),
});

/** Everything other services are told of. */
export const catalogue = {
  UserCreated: define(
    1,
    'A user registered and the account exists, or an admin or an import created it.',
    z.object({
      email: z.string().nullable().describe(personal),
      username: z.string().nullable().describe(personal),
      email_verified: z.boolean(),
      roles: z.array(z.string()),
      origin: z.enum(['registration', 'admin', 'import']),
    }),
  ),
  UserVerified: define(1, 'The user proved ownership of the email address for the first time.', z.object({})),
  UserUpdated: define(
    1,
    'The profile changed, or an admin disabled or enabled the user. Ask the service for the new values.',
    z.object({
      fields: z.array(z.enum(['name', 'surname', 'phone_number', 'locale', 'username', 'status'])),
      status: z.enum(['active', 'disabled']).optional().describe('Present if it is among the fields'),
    }),
  ),
  UserDeleted: define(
    1,
    'The account and all its sessions are deleted. This is the last event of a user.',
    z.object({}),
  ),
  PasswordChanged: define(
    1,
    'The password was replaced, or removed until the user chooses another one by mail.',
    z.object({ reason: z.enum(['changed', 'reset', 'removed']) }),
  ),
  EmailChanged: define(
    1,
    'The address changed, the user took the old one back, or lost it when another account undid its change of address.',
    z.object({ email: z.string().nullable().describe(personal), email_verified: z.boolean() }),
  ),
  SessionStarted: define(1, 'The user signed in.', z.object({ session_id: sessionId, client_id: z.string() })),
  SessionRevoked: define(
    1,
    'Sessions ended early: the user signed out, an admin ended them, or another change did.',
    z.object({
      session_ids: z
        .array(sessionId)
        .nullable()
        .describe('The ended sessions. Null means all sessions of the user at `time`, except `except_session_id`'),
      except_session_id: sessionId.nullable().describe('The session that continues while all others end'),
      reason: z.enum([
        'logout',
        'logout_all',
        'revoked',
        'refresh_token_reuse',
        'password_changed',
        'email_changed',
        'session_limit',
        'user_disabled',
        'password_removed',
      ]),
    }),
  ),
  RefreshTokenReused: define(
    1,
    'A used refresh token appeared again, so someone may have stolen it. Its session has ended.',
    z.object({ session_id: sessionId }),
  ),
  AccountLocked: define(1, 'Too many failed sign-ins locked the account for a while.', z.object({})),
  RoleChanged: define(
    1,
    'The user now has exactly these roles. The service refuses older access tokens.',
    z.object({ roles: z.array(z.string()) }),
  ),
} as const satisfies Record<EventType, EventDefinition>;

/** What is said of an event where it happens: `user_id` is whom it is about, which the outbox holds. */
export type EventData<Type extends EventType> = Omit<z.input<(typeof catalogue)[Type]['data']>, 'user_id'>;

/** A type as it was: what was written by an older release, and what consumers still ask for. */
type OlderVersions = Readonly<Partial<Record<EventType, readonly EventDefinition[]>>>;

/** Versions that went before those of the catalogue; an event goes out as the version it was written as. There are none. */
const older: OlderVersions = {};

/** A type in one of its versions; undefined where there never was such a one. */
export const definitionOf = (type: EventType, version: number): EventDefinition | undefined =>
  [catalogue[type], ...(older[type] ?? [])].find((definition) => definition.version === version);

/** Where the JSON schema of an event's data is served. */
export const schemaPath = (type: EventType, version: number = catalogue[type].version) =>
  `/events/schemas/${type}/${version}`;
