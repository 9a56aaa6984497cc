import * as z from 'zod';
import type { EventType } from './types.ts';

const userId = z.uuid().describe('The user, as in `subject`');
const sessionId = z.uuid();
const personal = 'Null where there is none, and where `EVENTS_PERSONAL_DATA` is off';

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
    'Somebody registered and the account is there; or an admin or an import made it.',
    z.object({
      email: z.string().nullable().describe(personal),
      username: z.string().nullable().describe(personal),
      email_verified: z.boolean(),
      roles: z.array(z.string()),
      origin: z.enum(['registration', 'admin', 'import']),
    }),
  ),
  UserVerified: define(1, 'The holder of the email address proved to be one, for the first time.', z.object({})),
  UserUpdated: define(
    1,
    'The profile changed, or the user was disabled or enabled. What it is now, the service tells.',
    z.object({
      fields: z.array(z.enum(['name', 'surname', 'phone_number', 'locale', 'username', 'status'])),
      status: z.enum(['active', 'disabled']).optional().describe('Where it is among the fields'),
    }),
  ),
  UserDeleted: define(1, 'The account is gone, with all its sessions. The last event of a user.', z.object({})),
  PasswordChanged: define(
    1,
    'The password was replaced, or taken away until another one is chosen by mail.',
    z.object({ reason: z.enum(['changed', 'reset', 'removed']) }),
  ),
  EmailChanged: define(
    1,
    'The address changed, was taken back by the one before, or went to somebody who proved to hold it.',
    z.object({ email: z.string().nullable().describe(personal), email_verified: z.boolean() }),
  ),
  SessionStarted: define(1, 'Somebody signed in.', z.object({ session_id: sessionId, client_id: z.string() })),
  SessionRevoked: define(
    1,
    'Sessions ended before their time: by signing out, by an admin, or because of what else happened.',
    z.object({
      session_ids: z
        .array(sessionId)
        .nullable()
        .describe('Those that ended; null: all that the user had at `time`, but for `except_session_id`'),
      except_session_id: sessionId.nullable().describe('The one that goes on where all others ended'),
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
    'A refresh token that was used up came again: somebody may have stolen it. Its session has ended.',
    z.object({ session_id: sessionId }),
  ),
  AccountLocked: define(1, 'Too many failed sign-ins locked the account for a while.', z.object({})),
  RoleChanged: define(
    1,
    'The user has these roles now, and no others. Older access tokens are refused.',
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
