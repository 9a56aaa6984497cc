import * as z from 'zod';

/** Everything that a role can permit. Which role holds which stands in the table `roles`. */
const permissions = [
  'users:read',
  'users:write',
  'users:delete',
  'sessions:revoke',
  'roles:write',
  'audit:read',
  'events:read',
  'events:replay',
] as const;

export const isPermission = (text: string) => permissions.some((each) => each === text);

export type Permission = (typeof permissions)[number];

/** The role of those who may do everything: one active user with a password has it at all times. */
export const adminRole = 'admin';
/** The role of everybody who registers. */
export const defaultRole = 'user';

/** Joined by commas in headers, so without any. */
export const roleName = z.string().regex(/^[a-z0-9_-]{1,32}$/, 'Must be 1 to 32 of a-z, 0-9, _ and -');

/** The roles of one user: each once, in one order. So many that an access token stays well below 4,096 characters. */
export const roleNames = z
  .array(roleName)
  .max(16)
  .transform((names) => [...new Set(names)].sort());
