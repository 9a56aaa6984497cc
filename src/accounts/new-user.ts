import { blindIndexes } from '../crypto/blind-index.ts';
import type { Deps } from '../deps.ts';
import { defaultRole } from '../roles/permissions.ts';
import { skeletonOf } from './confusables.ts';
import type { EmailAddress } from './email.ts';
import { sealPersonalData } from './profile.ts';
import type { UserRow } from './store.ts';

/** What is known of somebody who registers. */
export interface Registrant {
  readonly email: EmailAddress | null;
  readonly emailVerified: boolean;
  readonly username: { readonly username: string; readonly key: string } | null;
  /** Null for somebody who has none yet: an import or an admin makes such users. */
  readonly passwordHash: string | null;
  readonly name: string | null;
  readonly surname: string | null;
  readonly phoneNumber: string | null;
  readonly locale: string | null;
}

/** What a key looks like, where that is another name. */
function lookOf(key: string | null): string | null {
  const skeleton = key === null ? null : skeletonOf(key);
  return skeleton === key ? null : skeleton;
}

/** What a registration says of a user: the columns, sealed for that id. */
async function userColumns({ keyring }: Pick<Deps, 'keyring'>, id: string, registrant: Registrant) {
  const { email, phoneNumber, username, name, surname, passwordHash, locale } = registrant;
  const [sealed, emailIndexes, phoneIndexes] = await Promise.all([
    sealPersonalData({ keyring }, id, { email: email?.address ?? null, phoneNumber, profile: { name, surname } }),
    email === null ? [] : blindIndexes(keyring, 'email', email.key),
    phoneNumber === null ? [] : blindIndexes(keyring, 'phone', phoneNumber),
  ]);
  return {
    username: username?.username ?? null,
    usernameKey: username?.key ?? null,
    usernameSkeleton: lookOf(username?.key ?? null),
    emailIndex: emailIndexes[0] ?? null,
    phoneIndex: phoneIndexes[0] ?? null,
    ...sealed,
    passwordHash,
    locale,
  };
}

/** The row of a new user. */
export async function newUser(deps: Pick<Deps, 'keyring' | 'newId' | 'now'>, registrant: Registrant): Promise<UserRow> {
  const id = deps.newId();
  const time = new Date(deps.now());
  return {
    id,
    ...(await userColumns(deps, id, registrant)),
    emailVerifiedAt: registrant.emailVerified ? time : null,
    status: 'active',
    roles: [defaultRole],
    rolesChangedAt: null,
    sessionEpoch: 0,
    version: 0,
    createdAt: time,
    updatedAt: time,
  };
}
