import { seal, unseal } from '../crypto/seal.ts';
import type { Deps } from '../deps.ts';
import type { Message } from '../email/messages.ts';
import type { OutboxRow } from './store.ts';

type Needs = Pick<Deps, 'keyring' | 'now'>;
type Naming = Needs & Pick<Deps, 'newId'>;

/** How long a new row is left to the request that wrote it, before the scheduled relay takes it up: milliseconds. */
const reserved = 30_000;

/** A mail that is enqueued: to whom, in which language, and what it says. */
export interface EnqueuedMail {
  readonly to: string;
  /** A language there are words for. */
  readonly locale: string;
  readonly message: Message;
}

/** Where the payload of a row stands: it opens nowhere else. */
export const payloadPlace = (id: string) => `outbox.payload:${id}`;

/** A row that is due when whoever writes it did not come to deliver it. @param payload is sealed */
export async function newRow(
  deps: Needs,
  row: Pick<OutboxRow, 'id' | 'kind' | 'type' | 'subject' | 'sink'>,
  payload: unknown,
) {
  const time = deps.now();
  return {
    ...row,
    payloadSealed: await seal(deps.keyring, payloadPlace(row.id), JSON.stringify(payload)),
    createdAt: new Date(time),
    attempts: 0,
    nextAttemptAt: new Date(time + reserved),
  };
}

/**
 * The row of a mail.
 * @param about whose it is: it goes with their account where that is deleted. Undefined where it must not.
 * @param id where it carries a one-time token: the token's
 */
export function mailRow(
  deps: Naming,
  { to, locale, message }: EnqueuedMail,
  about: string | undefined,
  id: string = deps.newId(),
): Promise<OutboxRow> {
  const row = { id, kind: 'email', type: message.type, subject: about ?? deps.newId() } as const;
  return newRow(deps, row, { to, locale, data: message.data });
}

/** The row of a task: what is to be done once the answer is out, because the answer must not tell its outcome. */
export function taskRow(deps: Naming, type: string, payload: unknown): Promise<OutboxRow> {
  return newRow(deps, { id: deps.newId(), kind: 'task', type, subject: deps.newId() }, payload);
}

/** What a row promises, as it was sealed. */
export async function openPayload({ keyring }: Pick<Deps, 'keyring'>, row: OutboxRow): Promise<unknown> {
  return JSON.parse(await unseal(keyring, payloadPlace(row.id), row.payloadSealed));
}
