import * as z from 'zod';
import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { describeError } from '../ops/log.ts';
import { isCommonPassword } from './common-passwords.ts';
import { normaliseEmail } from './email.ts';

/** 256 code points at most, whatever they are, so that hashing is bounded. */
const maximumLength = 256;
/** A shorter name stands in too many good passwords. */
const leastNameLength = 4;

/**
 * A password as typed, old or new. What is longer is not looked at any further: normalising a whole body of combining
 * marks takes the better part of a second.
 */
export const typedPassword = z
  .string()
  .max(maximumLength * 2, { abort: true })
  .refine((value) => value.isWellFormed(), 'Contains a broken character');

type Policy = Pick<Config, 'passwordMinLength' | 'passwordMinClasses'>;

/** A password that is to be set: what can be said of it without knowing whose it is (NIST SP 800-63B section 3.1.1.2). */
export const newPassword = (policy: Policy) =>
  typedPassword.superRefine((password, context) => {
    if (!password.isWellFormed()) return;
    for (const message of faultsOf(password.normalize('NFKC'), policy)) context.addIssue({ code: 'custom', message });
  });

const classes = [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{Ll}\p{Lu}\p{Nd}]/u];

function faultsOf(password: string, { passwordMinLength, passwordMinClasses }: Policy): string[] {
  const faults: string[] = [];
  const { length } = [...password];
  if (length < passwordMinLength || length > maximumLength) {
    faults.push(`Must be ${passwordMinLength} to ${maximumLength} characters long`);
  }
  if (classes.filter((pattern) => pattern.test(password)).length < passwordMinClasses) {
    const kinds = 'lower case letters, upper case letters, digits and other characters';
    faults.push(`Must mix at least ${passwordMinClasses} of these: ${kinds}`);
  }
  if (isCommonPassword(password)) faults.push('Is one of the most common passwords: choose another one');
  return faults;
}

/** The owner of an account, by what is stored of it. */
export const ownerOf = (email: string | null, usernameKey: string | null): PasswordOwner => ({
  emailKey: email === null ? undefined : normaliseEmail(email)?.key,
  usernameKey: usernameKey ?? undefined,
});

/** Whose password it is: the names in the form that counts as the same. */
export interface PasswordOwner {
  readonly emailKey: string | undefined;
  readonly usernameKey: string | undefined;
}

/**
 * Refuses a new password that holds its owner's name, or that is known from a breach where that is asked for
 * (`BREACHED_PASSWORD_CHECK`). The latter fails open: an answer that does not come is logged, and stops nobody.
 * @param field where the password stood in the body
 * @throws {Problem} `validation_failed` on that field
 */
export async function refuseWeakPassword(
  { isBreached, log }: Pick<Deps, 'isBreached' | 'log'>,
  field: string,
  typed: string,
  owner: PasswordOwner,
): Promise<void> {
  const password = typed.normalize('NFKC');
  const refuse = (message: string) => new Problem('validation_failed', { errors: [{ path: field, message }] });
  const text = password.toLowerCase().normalize('NFKC');
  const holds = (name: string | undefined) =>
    name !== undefined && [...name].length >= leastNameLength && text.includes(name);
  if (holds(owner.emailKey?.slice(0, owner.emailKey.lastIndexOf('@')))) {
    throw refuse('Must not contain the part of the email before the @');
  }
  if (holds(owner.usernameKey)) throw refuse('Must not contain the username');
  const breached = await isBreached?.(password).catch((error: unknown) => {
    log.warn('breached_password_check_failed', describeError(error));
    return false;
  });
  if (breached === true) throw refuse('Is known from a data breach: choose one that you use nowhere else');
}
