import * as z from 'zod';
import { locale } from '../accounts/locale-schema.ts';
import { newPassword } from '../accounts/password.ts';
import { phoneNumber } from '../accounts/phone.ts';
import { anyName, bounded, email, exampleUser, name, user, username } from '../accounts/schemas.ts';
import { longestName } from '../accounts/username.ts';
import { activity, exampleActivity } from '../audit/activity.ts';
import { exampleOrigin, userAgentFields } from '../audit/user-agent.ts';
import { roleName, roleNames } from '../roles/permissions.ts';

/** The ids of users are lower case wherever they are looked for. */
export const userParams = z.object({
  id: z
    .uuid()
    .toLowerCase()
    .meta({ examples: [exampleUser.id] }),
});

export const adminUser = user
  .extend({
    locale: z.string().nullable(),
    status: z.enum(['active', 'disabled']),
    email_verified_at: z.iso.datetime().nullable(),
    has_password: z.boolean(),
  })
  .meta({
    id: 'AdminUser',
    examples: [
      {
        ...exampleUser,
        locale: 'en-GB',
        status: 'active',
        email_verified_at: '2026-01-04T09:31:00.000Z',
        has_password: true,
      },
    ],
  });

export type AdminUser = z.output<typeof adminUser>;

const time = z.iso.datetime({ offset: true });

/** How users are looked for. */
export const userFilters = z.object({
  cursor: bounded(longestName * 2)
    .optional()
    .describe('The `next_cursor` of the previous page'),
  status: z
    .enum(['active', 'disabled'])
    .optional()
    .meta({ examples: ['active'] }),
  role: roleName
    .optional()
    .describe('Only users with this role')
    .meta({ examples: ['admin'] }),
  created_from: time.optional().meta({ examples: ['2026-01-01T00:00:00Z'] }),
  created_to: time.optional().describe('Only users created before this time'),
  username: anyName
    .optional()
    .describe('Start of the username. Sorts the list by username. Cannot be combined with another filter')
    .meta({ examples: ['an'] }),
});

type UserFilters = z.output<typeof userFilters>;
export type UserQuery = UserFilters & { readonly limit: number };

/** A place in the list of users as a cursor: when somebody was created, and who. */
export const writePlace = ({ createdAt, id }: { readonly createdAt: Date; readonly id: string }): string =>
  `${createdAt.getTime()}_${id}`;

const place = z.string().regex(/^-?\d{1,13}_[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);

/** @param cursor one that `refuseMisfits` let through */
export function readPlace(cursor: string): { createdAt: number; id: string } {
  const [time = '', id = ''] = cursor.split('_');
  return { createdAt: Number(time), id };
}

/** Refuses what no index answers, and a cursor of another list. */
export function refuseMisfits(query: UserFilters, context: z.RefinementCtx): void {
  const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  const { cursor, username: prefix, status, role, created_from: from, created_to: to } = query;
  const others = [status, role, from, to].filter((value) => value !== undefined);
  if (prefix !== undefined && others.length > 0) issue('username', 'Cannot be combined with another filter');
  const fits = prefix === undefined ? place : anyName;
  if (cursor !== undefined && !fits.safeParse(cursor).success) issue('cursor', 'Use the next_cursor of this list');
}

/** How the audit log is searched. */
export const auditFilters = z.object({
  user: z
    .uuid()
    .optional()
    .describe('The user that the event is about')
    .meta({ examples: [exampleUser.id] }),
  actor: z.uuid().optional().describe('The administrator who acted'),
  type: z
    .string()
    .regex(/^[a-z_]{1,64}$/)
    .optional()
    .meta({ examples: ['login'] }),
  result: z
    .enum(['success', 'failure'])
    .optional()
    .meta({ examples: ['failure'] }),
  from: time.optional(),
  to: time.optional().describe('Only events before this time'),
});

export type AuditQuery = z.output<typeof auditFilters> & {
  readonly limit: number;
  readonly cursor?: string | undefined;
};

export const auditEvent = activity
  .extend({
    user_id: z.uuid().nullable(),
    actor_id: z.uuid().nullable().describe('The administrator who acted, if any'),
  })
  .meta({ id: 'AuditEvent', examples: [{ ...exampleActivity, user_id: exampleUser.id, actor_id: null }] });

export const adminSession = z
  .object({
    id: z.uuid(),
    client_id: z.string(),
    created_at: z.iso.datetime(),
    last_seen_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
    ended_reason: z.string().nullable(),
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
    ...userAgentFields,
  })
  .meta({
    id: 'AdminSession',
    examples: [
      {
        id: exampleActivity.session_id,
        client_id: 'first-party',
        created_at: '2026-01-04T09:30:00.000Z',
        last_seen_at: '2026-01-04T09:45:00.000Z',
        expires_at: '2026-02-03T09:30:00.000Z',
        ended_at: null,
        ended_reason: null,
        ...exampleOrigin,
      },
    ],
  });

export const createUserRequest = (policy: Parameters<typeof newPassword>[0]) =>
  z
    .object({
      email: email.optional(),
      email_verified: z
        .boolean()
        .default(false)
        .describe(
          'Marks the address as verified. Leave out the password: the owner of the address chooses one by mail',
        ),
      username: username.optional(),
      password: newPassword(policy)
        .optional()
        .describe('If you leave out the password, the user gets a mail with a link to choose one'),
      name: name.optional(),
      surname: name.optional(),
      phone_number: phoneNumber.optional(),
      locale: locale.optional(),
    })
    .refine((body) => body.email !== undefined || (body.username !== undefined && body.password !== undefined), {
      path: ['email'],
      message: 'Enter an email address, or a username and a password',
    })
    // Whoever may make accounts could else sign in as anybody they name, without a mail to that person.
    .refine((body) => !body.email_verified || body.password === undefined, {
      path: ['email_verified'],
      message: 'Leave out the password, so that the owner chooses one by mail, or leave out email_verified',
    })
    .meta({ id: 'CreateUserRequest', examples: [{ email: 'ann@example.com', email_verified: true, name: 'Ann' }] });

export type CreateUserRequest = z.output<ReturnType<typeof createUserRequest>>;

export const rolesRequest = z.object({ roles: roleNames }).meta({
  id: 'RolesRequest',
  description: 'The complete list. The user loses every role that is not in it.',
  examples: [{ roles: ['user'] }],
});

export const rolesAnswer = z
  .object({ roles: z.array(z.string()) })
  .meta({ id: 'Roles', examples: [{ roles: ['user'] }] });
