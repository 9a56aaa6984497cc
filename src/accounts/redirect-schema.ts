import * as z from 'zod';
import type { Config } from '../config.ts';
import { allowedRedirect } from '../config-links.ts';

export type Links = Pick<Config, 'links'>;

/** Where people go on from the page of a mail. */
export const redirectTo = ({ links }: Links) =>
  z
    .string()
    .max(2000, { abort: true })
    .transform((value, context) => {
      const allowed = allowedRedirect(links, value);
      if (allowed !== undefined) return allowed;
      context.addIssue({ code: 'custom', message: 'This address is not in REDIRECT_URLS' });
      return z.NEVER;
    })
    .optional()
    .describe('The address that the page of the mail leads to. Must be below `APP_URL` or one of `REDIRECT_URLS`');
