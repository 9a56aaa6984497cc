import type { LinkKind } from '../config-links.ts';

/** How long the link of a mail is good, in seconds. The mail says so. */
export const linkLifetimes: Readonly<Record<LinkKind, number>> = {
  verify_email: 86_400,
  reset_password: 3600,
  confirm_email_change: 86_400,
  undo_email_change: 7 * 86_400,
};

/** How long the code of a mail is good, in seconds. */
export const codeLifetime = 600;
