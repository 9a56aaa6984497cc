import type * as z from 'zod';
import type { Config } from '../config.ts';
import { skeletonOf } from './confusables.ts';
import { normaliseAnyName, type Username } from './username.ts';

/** Nobody makes themselves a name that looks like one of the service's own. */
export function unreserved(
  usernames: z.ZodType<Username, string>,
  { reservedUsernames }: Pick<Config, 'reservedUsernames'>,
) {
  const reserved = new Set(reservedUsernames.map((name) => skeletonOf(normaliseAnyName(name)?.key ?? name)));
  return usernames.refine(({ key }) => !reserved.has(skeletonOf(key)), 'This username is reserved. Choose another one');
}
