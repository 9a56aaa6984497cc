import * as z from 'zod';
import { keptOrigin } from '../audit/audit.ts';
import { userAgentInWords } from '../audit/user-agent.ts';
import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import { seal, unseal } from '../crypto/seal.ts';
import type { Deps } from '../deps.ts';
import { codeLifetime, linkLifetimes } from '../email/lifetimes.ts';
import type { Message } from '../email/messages.ts';
import { Problem } from '../errors.ts';
import { mailRow } from '../outbox/outbox.ts';
import { hashToken, newOneTimeSecret, normaliseCode, verifyCode } from '../tokens/one-time-token.ts';
import type { EmailAddress } from './email.ts';
import {
  type FoundToken,
  findToken,
  type NewPurpose,
  type Requester,
  type TokenAndMail,
  tryCode,
} from './token-store.ts';

/** How long a link is good, in seconds. */
const lifetimes: Readonly<Record<NewPurpose, number>> = {
  verify_email: linkLifetimes.verify_email,
  reset_password: linkLifetimes.reset_password,
  change_email: linkLifetimes.confirm_email_change,
  undo_email_change: linkLifetimes.undo_email_change,
};

/** When and from where something was asked for, as a mail tells it and a task keeps it. */
const occasion = z.object({ at: z.number(), address: z.string().nullable(), device: z.string().nullable() });
export type Occasion = z.output<typeof occasion>;

export function occasionOf({ now }: Pick<Deps, 'now'>, { origin }: Pick<Call, 'origin'>): Occasion {
  const { address, userAgent } = keptOrigin(origin);
  return { at: now(), address, device: userAgentInWords(userAgent) };
}

/** When, from where and in which languages something was asked for, and where the way leads on from the mail. */
export interface Asked {
  readonly event: Occasion;
  readonly languages: string | undefined;
  readonly redirectTo: string | undefined;
}

/** The same as a task keeps it. */
export const asked = z
  .object({ occasion, languages: z.string().optional(), redirectTo: z.string().optional() })
  .transform(({ occasion: event, languages, redirectTo }): Asked => ({ event, languages, redirectTo }));

/** What a task keeps of a request. */
export const askedOf = (
  deps: Pick<Deps, 'now'>,
  call: Call,
  redirectTo: string | undefined,
): z.input<typeof asked> => ({
  occasion: occasionOf(deps, call),
  languages: call.languages,
  redirectTo,
});

interface TokenMail {
  readonly purpose: NewPurpose;
  /** Undefined where there is no account yet. */
  readonly userId: string | undefined;
  /** Of the address it goes to. */
  readonly emailIndex: string;
  readonly to: string;
  readonly locale: string;
  /** What happens when it is used, besides what its purpose says. */
  readonly data?: unknown;
  readonly message: (secret: { readonly token: string; readonly code: string }) => Message;
}

/** Where the data of a token stands: it opens nowhere else. */
export const tokenDataPlace = (id: string) => `one_time_tokens.data:${id}`;

/** A new one-time token, and the mail that carries it. Nothing is written. */
export async function enqueueToken(deps: Deps, { purpose, userId, ...asked }: TokenMail): Promise<TokenAndMail> {
  const { keyring, newId, now } = deps;
  const id = newId();
  const secret = await newOneTimeSecret(keyring, id);
  const mailed = { to: asked.to, locale: asked.locale, message: asked.message(secret) };
  const [mail, dataSealed] = await Promise.all([
    mailRow(deps, mailed, userId, id),
    asked.data === undefined ? null : seal(keyring, tokenDataPlace(id), JSON.stringify(asked.data)),
  ]);
  const token = {
    id,
    purpose,
    userId: userId ?? null,
    emailIndex: asked.emailIndex,
    tokenHash: secret.tokenHash,
    codeHash: secret.codeHash,
    codeExpiresAt: new Date(now() + codeLifetime * 1000),
    dataSealed,
    createdAt: new Date(now()),
    expiresAt: new Date(now() + lifetimes[purpose] * 1000),
  };
  return { token, mail };
}

/** What a token was given to carry. */
export async function openTokenData({ keyring }: Pick<Deps, 'keyring'>, token: FoundToken): Promise<unknown> {
  return token.data_sealed === null
    ? undefined
    : JSON.parse(await unseal(keyring, tokenDataPlace(token.id), token.data_sealed));
}

/** What somebody shows who has read a mail: its token, or its code with the address it came to. */
export type TypedProof = { readonly token: string } | { readonly email: EmailAddress; readonly code: string };
/** The same, with whoever shows it: wrong codes count for them, and keep nobody else from the right one. */
export type MailProof =
  | { readonly token: string }
  | { readonly email: EmailAddress; readonly code: string; readonly requester: Requester };

/**
 * Finds the one-time token that a proof is about. Consumes nothing but one try of the code.
 * @returns the token; of a link that has verified its address before, what is left of it (`email_verified`)
 * @throws {Problem} `link_expired`, whether it never was, is used, or has run out
 */
export async function findProof(deps: Deps, purpose: NewPurpose, proof: MailProof): Promise<FoundToken> {
  const { db, keyring, now } = deps;
  if ('token' in proof) {
    const hash = await hashToken(proof.token);
    const token = hash === undefined ? undefined : await findToken(db, purpose, hash, now());
    if (token === undefined) throw linkExpired('no such token');
    return token;
  }
  // A text of another shape costs the same as a wrong code.
  const code = normaliseCode(proof.code) ?? '';
  const indexes = await blindIndexes(keyring, 'email', proof.email.key);
  const tried = await tryCode(db, purpose, indexes, proof.requester, now());
  for (const token of tried) {
    if (await verifyCode(keyring, { id: token.id, codeHash: token.code_hash }, code, now())) return token;
  }
  throw linkExpired('wrong code');
}

export const linkExpired = (reason: string) => new Problem('link_expired', { reason });
