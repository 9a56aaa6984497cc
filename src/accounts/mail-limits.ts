import type { Call } from '../call.ts';
import { blindIndexes } from '../crypto/blind-index.ts';
import type { Hit } from '../limits/rate-limit.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import type { MailProof } from './one-time-tokens.ts';

export const mailLimits = ['mail_address', 'mail_account'] as const;
export const proofLimits = ['proof_address', 'code_account'] as const;
type MailHit = Hit<(typeof mailLimits)[number]>;
type ProofHit = Hit<(typeof proofLimits)[number]>;

/**
 * What asks for a mail counts by the address it comes from, and by whom the mail is for, known or not. Each kind of mail
 * counts for itself: so whoever uses one up for somebody else keeps nobody from another, and has sent them good links.
 */
export const mailHits = async (call: Call, kind: string, ...keys: readonly string[]): Promise<MailHit[]> => [
  { policy: 'mail_address', key: await call.addressKey() },
  ...keys.map((key): MailHit => ({ policy: 'mail_account', key: `${kind}:${key}` })),
];

export const proofByAddress = async (call: Call): Promise<Hit<'proof_address'>> => ({
  policy: 'proof_address',
  key: await call.addressKey(),
});

/** What shows a link or code counts by the address it comes from; a code also by whom it was sent to and who shows it. */
export async function proofHits(deps: SessionDeps, proof: MailProof, call: Call): Promise<ProofHit[]> {
  const byAddress = await proofByAddress(call);
  if ('token' in proof) return [byAddress];
  const [key] = await blindIndexes(deps.keyring, 'email', proof.email.key);
  return [byAddress, { policy: 'code_account', key: `${key}:${proof.requester.id}` }];
}
