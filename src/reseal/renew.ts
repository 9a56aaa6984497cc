import { base64url } from 'jose';
import { derivePepperBytes, type Keyring } from '../crypto/derive.ts';
import { seal, unseal } from '../crypto/seal.ts';
import { isSealedHash, openHash, sealHash } from '../crypto/sealed-hash.ts';

/** The same text under the newest secret: as it is where it stands there already. @throws {SealError} */
export async function renew(keyring: Keyring, place: string, sealed: string): Promise<string> {
  if (sealed.startsWith(`${keyring.newest.id}.`)) return sealed;
  return await seal(keyring, place, await unseal(keyring, place, sealed));
}

/** The same data, with each text in it as `change` gives it. */
export async function changeTexts(data: unknown, change: (text: string) => Promise<string>): Promise<unknown> {
  if (typeof data === 'string') return await change(data);
  if (Array.isArray(data)) return await Promise.all(data.map((each) => changeTexts(each, change)));
  if (typeof data !== 'object' || data === null) return data;
  const entries = Object.entries(data).map(async ([name, value]) => [name, await changeTexts(value, change)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** A stored password hash needs a secret that is not configured. */
class UnknownPepper extends Error {
  override readonly name = 'UnknownPepper';
}

/** Renews password hashes: what an older pepper made is sealed under the newest secret, together with that pepper. */
export async function createHashRenewal(
  keyring: Keyring,
  secrets: readonly string[],
): Promise<(stored: string) => Promise<string>> {
  const bytes = await Promise.all(secrets.map(derivePepperBytes));
  const peppers = new Map(keyring.all.map(({ id }, index) => [id, bytes[index]]));
  return async (stored) => {
    if (isSealedHash(stored)) {
      if (stored.startsWith(`$sealed$${keyring.newest.id}.`)) return stored;
      const opened = await openHash(keyring, stored);
      if (opened === undefined) throw new UnknownPepper();
      return await sealHash(keyring, opened);
    }
    const [, name] = /^\$argon2\w+\$.*,keyid=([A-Za-z0-9+/]{1,11})\$/.exec(stored) ?? [];
    // Another system's hash has no pepper.
    if (name === undefined) return stored;
    const id = base64url.encode(base64url.decode(name.replaceAll('+', '-').replaceAll('/', '_')));
    if (id === keyring.newest.id) return stored;
    const pepper = peppers.get(id);
    if (pepper === undefined) throw new UnknownPepper();
    return await sealHash(keyring, { hash: stored, pepper });
  };
}
