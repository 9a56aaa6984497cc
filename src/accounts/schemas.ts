import * as z from 'zod';
import type { Config } from '../config.ts';
import { normaliseEmail } from './email.ts';
import { locale } from './locale-schema.ts';
import { newPassword, typedPassword } from './password.ts';
import { phoneNumber } from './phone.ts';
import { type Links, redirectTo } from './redirect-schema.ts';
import { unreserved } from './reserved-names.ts';
import { longestName, normaliseAnyName, normaliseUsername, type Username, unkept } from './username.ts';

/**
 * At most so many UTF-16 units, and no further check of what is longer: normalising a whole body of combining marks
 * takes the better part of a second.
 */
export const bounded = (maximum: number) => z.string().max(maximum, { abort: true });

/** Text that a database and every other reader can hold: no control characters, no broken surrogate pairs. */
const text = (maximum: number) =>
  bounded(maximum * 2)
    .refine((value) => value.isWellFormed() && !unkept.test(value), 'Remove control characters and line breaks')
    .transform((value) => value.normalize('NFC').trim())
    .refine((value) => [...value].length <= maximum, `Too long: at most ${maximum} characters`);

export const name = text(100).refine((value) => value !== '', 'Must not be empty');

export const email = bounded(320).transform((value, context) => {
  const normalised = normaliseEmail(value);
  if (normalised !== undefined) return normalised;
  context.addIssue({ code: 'custom', message: 'Enter an email address such as ann@example.com' });
  return z.NEVER;
});

export const username = bounded(256).transform((value, context) => {
  const normalised = normaliseUsername(value);
  if (normalised !== undefined) return normalised;
  const message = 'Use 1 to 64 letters, digits, dots, hyphens or underscores, and start with a letter or digit';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** A username as older services have them. None of the paths of our own takes it. */
export const anyName = bounded(longestName * 2).transform((value, context) => {
  const normalised = normaliseAnyName(value);
  if (normalised !== undefined) return normalised;
  const message = `Use 1 to ${longestName} visible characters`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** @param usernames what may be one */
export const registerRequest = (
  policy: Parameters<typeof newPassword>[0] & Links & Pick<Config, 'reservedUsernames'>,
  usernames: z.ZodType<Username, string> = username,
) =>
  z
    .object({
      email: email.optional(),
      username: unreserved(usernames, policy).optional(),
      password: newPassword(policy),
      name: name.optional(),
      surname: name.optional(),
      phone_number: phoneNumber.optional(),
      locale: locale.optional(),
      redirect_to: redirectTo(policy),
    })
    .refine((body) => body.email !== undefined || body.username !== undefined, {
      path: ['email'],
      message: 'Enter an email address, a username, or both',
      // Also where something else is missing: people shall learn of all at once.
      when: ({ value }) => isObject(value) && value['email'] === undefined && value['username'] === undefined,
    })
    .meta({
      id: 'RegisterRequest',
      description: 'At least one of `email` and `username`.',
      examples: [{ email: 'ann@example.com', username: 'ann', password: 'correct horse battery staple', name: 'Ann' }],
    });

export type RegisterRequest = z.output<ReturnType<typeof registerRequest>>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Whatever was typed as the identifier; whether such an account exists is for nobody to learn from the answer. */
const identifier = bounded(longestName * 2).min(1);

export const changePasswordRequest = (policy: Parameters<typeof newPassword>[0]) =>
  z.object({ current_password: typedPassword, new_password: newPassword(policy) }).meta({
    id: 'ChangePasswordRequest',
    examples: [{ current_password: 'correct horse battery staple', new_password: 'a quieter pony on the stairs' }],
  });

/** The caller's password, once more. */
export const passwordRequest = z
  .object({ password: typedPassword })
  .meta({ id: 'PasswordRequest', examples: [{ password: 'correct horse battery staple' }] });

/** Any one of them says who is meant. */
export const identifierFields = {
  identifier: identifier.optional(),
  email: identifier.optional(),
  username: identifier.optional(),
};

/** The one identifier that was given. */
export function oneIdentifier(
  body: { readonly [Name in keyof typeof identifierFields]?: string | undefined },
  context: z.RefinementCtx,
): string {
  const given = [body.identifier, body.email, body.username].filter((value) => value !== undefined);
  const [only] = given;
  if (only !== undefined && given.length === 1) return only;
  const message = 'Enter exactly one of identifier, email and username';
  context.addIssue({ code: 'custom', path: ['identifier'], message });
  return z.NEVER;
}

export const loginRequest = z
  .object({ ...identifierFields, password: typedPassword })
  .transform(({ password, ...body }, context) => ({ identifier: oneIdentifier(body, context), password }))
  .meta({
    id: 'LoginRequest',
    description: 'The password with exactly one of `identifier` (email or username), `email` and `username`.',
    examples: [
      { identifier: 'ann@example.com', password: 'correct horse battery staple' },
      { username: 'ann', password: 'correct horse battery staple' },
    ],
  });

const profileFields = z.object({
  name: name.nullable().default(null),
  surname: name.nullable().default(null),
  phone_number: phoneNumber.nullable().default(null),
  locale: locale.nullable().default(null),
});
const profileNames = Object.keys(profileFields.shape);

export const profileRequest = z
  // One misspelt field alone would else empty the profile.
  .preprocess((body, context) => {
    const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
    if (isObject && !profileNames.some((known) => Object.hasOwn(body, known))) {
      context.addIssue({ code: 'custom', message: `Enter at least one of ${profileNames.join(', ')}` });
    }
    return body;
  }, profileFields)
  .meta({
    id: 'ProfileRequest',
    description: 'The complete profile. Missing fields become null.',
    examples: [{ name: 'Ann', surname: 'Lee', phone_number: '+14155550100', locale: 'en-GB' }],
  });

export type ProfileRequest = z.output<typeof profileRequest>;

export const exampleUser = {
  id: '019b8a2e-5c1d-7f3a-9b24-6d0e8c417a52',
  email: 'ann@example.com',
  email_verified: true,
  username: 'ann',
  name: 'Ann',
  surname: 'Lee',
  phone_number: '+14155550100',
  roles: ['user'],
  created_at: '2026-01-04T09:30:00.000Z',
  updated_at: '2026-01-04T09:30:00.000Z',
};

export const user = z
  .object({
    id: z.uuid(),
    email: z.string().nullable(),
    email_verified: z.boolean(),
    username: z.string().nullable(),
    name: z.string().nullable(),
    surname: z.string().nullable(),
    phone_number: z.string().nullable(),
    roles: z.array(z.string()),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'User', examples: [exampleUser] });

export type User = z.output<typeof user>;

export const profile = user
  .extend({ locale: z.string().nullable() })
  .meta({ id: 'Profile', examples: [{ ...exampleUser, locale: 'en-GB' }] });

export type Profile = z.output<typeof profile>;
