import * as z from 'zod';
import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { describeError } from '../ops/log.ts';
import { isCommonPassword } from './common-passwords.ts';
import { normaliseEmail } from './email.ts';

/** 256 code points at most, whatever they are, so that hashing is bounded. */
const maximumLength = 256;
/**
 * A password as typed, old or new. What is longer is not looked at any further: normalising a whole body of combining
 * marks takes the better part of a second.
 */
export const typedPassword = z
  .string()
  .max(maximumLength * 2, { abort: true })
  .refine((value) => value.isWellFormed(), 'Contains an invalid character');

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
  // Blanks that nobody sees are no secret: a run of them counts as one.
  const { length } = [...password.replace(/[\s\p{Default_Ignorable_Code_Point}]+/gu, ' ').trim()];
  if (length < passwordMinLength || [...password].length > maximumLength) {
    faults.push(`Use ${passwordMinLength} to ${maximumLength} characters, not counting repeated spaces`);
  }
  if (classes.filter((pattern) => pattern.test(password)).length < passwordMinClasses) {
    const kinds = 'lower case letters, upper case letters, digits and other characters';
    faults.push(`Mix at least ${passwordMinClasses} of these: ${kinds}`);
  }
  if (isCommonPassword(password)) faults.push('This is one of the most common passwords. Choose another one');
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

/** A shorter word stands in too many good passwords to be looked for. */
const minWordLength = 3;
const partsOf = (text: string) => [text, ...text.split(/[^\p{L}\p{N}]+/u)];

/** What is left of a password without these words, however often they stand in it, and without what stands between them. */
function withoutWords(password: string, words: readonly string[]): string {
  const known = [...new Set(words.flatMap((word) => partsOf(word.normalize('NFKC').toLowerCase())))]
    .filter((word) => [...word].length >= minWordLength)
    .toSorted((a, b) => b.length - a.length);
  const rest = known.reduce((text, word) => text.replaceAll(word, ' '), password);
  return rest.replace(/[^\p{L}\p{M}\p{N}\p{S}]+/gu, '');
}

/**
 * Refuses a new password that is little more than its owner's name or that of the service, or that is known from a breach
 * where that is asked for (`BREACHED_PASSWORD_CHECK`). A name in a long passphrase is no reason: what is left without it
 * has to be long enough by itself. The check for breaches fails open: an answer that does not come is logged, and stops
 * nobody.
 * @param field where the password stood in the body
 * @throws {Problem} `validation_failed` on that field
 */
export async function refuseWeakPassword(
  { config, isBreached, log }: Pick<Deps, 'config' | 'isBreached' | 'log'>,
  field: string,
  typed: string,
  owner: PasswordOwner,
): Promise<void> {
  const password = typed.normalize('NFKC');
  const refuse = (message: string) => new Problem('validation_failed', { errors: [{ path: field, message }] });
  const text = password.toLowerCase().normalize('NFKC');
  const whole = [...withoutWords(text, [])].length;
  const isMostly = (words: readonly string[]) => {
    const left = [...withoutWords(text, words)].length;
    return left < whole && left < config.passwordMinLength;
  };
  const ofOwner = [owner.emailKey?.slice(0, owner.emailKey.lastIndexOf('@')) ?? '', owner.usernameKey ?? ''];
  if (isMostly(ofOwner)) throw refuse('Add words that have nothing to do with your name');
  if (isMostly([...ofOwner, ...config.passwordWords])) {
    throw refuse('Add words that have nothing to do with this service');
  }
  const breached = await isBreached?.(password).catch((error: unknown) => {
    log.warn('breached_password_check_failed', describeError(error));
    return false;
  });
  if (breached === true) throw refuse('This password appeared in a data breach. Choose one that you use nowhere else');
}
