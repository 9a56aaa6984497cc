import type * as z from 'zod';
import type { Config } from '../config.ts';
import { posesAsLatin, shownLookOf, skeletonOf } from './confusables.ts';
import { isOfOneScript } from './scripts.ts';
import { normaliseAnyName, type Username } from './username.ts';

/** Nobody makes themselves a name that looks like one of the service's own, or that poses as one in another script. */
export function unreserved(
  usernames: z.ZodType<Username, string>,
  { reservedUsernames }: Pick<Config, 'reservedUsernames'>,
) {
  const reserved = new Set(reservedUsernames.map((name) => skeletonOf(normaliseAnyName(name)?.key ?? name)));
  const isReserved = ({ username, key }: Username) =>
    reserved.has(skeletonOf(key)) || reserved.has(shownLookOf(username));
  return usernames
    .refine((name) => !isReserved(name), 'This username is reserved. Choose another one')
    .refine(
      ({ username }) => isOfOneScript(username) && !posesAsLatin(username),
      'Mixes scripts, or its capitals look like Latin ones. Use the small letters of one script',
    );
}
