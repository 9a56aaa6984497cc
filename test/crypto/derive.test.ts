import { base64url } from 'jose';
import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../src/crypto/derive.ts';
import { unseal } from '../../src/crypto/seal.ts';

const encoder = new TextEncoder();
const mac = async (key: CryptoKey) =>
  base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode('message'))));

/** Computed with OpenSSL's HKDF, HMAC and AES-GCM. What is stored was made with these keys: they must never change. */
const vectors = [
  {
    secret: 'correct-horse-battery-staple-0123456789',
    id: '8xL81QNM',
    blindIndex: 'Kx9hOKT426U-fNCjwYkwXFzOA1IsDzYbby1GtqhSGso',
    refreshToken: 'tRCtk7_-XP7RzMxjKkfuhfn_tV9ZOGVe6WvjScOJdM4',
    pepper: '-k8x1NeFpAFlsNPmPYE6MLB2lGAU0s7sA1CfTI5cwQA',
    sealed: '8xL81QNM.AAECAwQFBgcICQoL-Aputo-NO_9kcncPM-D6Z24DKPPGuR2BJKZTvl7wBg',
  },
  {
    secret: 'пароль-пароль-пароль-пароль-пароль',
    id: 'vUTAv3mE',
    blindIndex: 'H78dcY6lLPHPZEhNDrcYOUSh1eDE8X0LZiZ2PCgrfWU',
    refreshToken: '1o3Y0uLIfZBB5a9paJwIhCr01q8QA5HDzezCAeLYyDI',
    pepper: 'RWmGymnwIAYu7D3b9-Z2nU8vVXXwOs2DD7q6tn9yOCw',
    sealed: 'vUTAv3mE.AAECAwQFBgcICQoLO5kOhEOhMMErZTykHH6khmR2RrNRhSDO0Ef5WkmnFw',
  },
];

describe('a keyring', () => {
  it.each(vectors)('derives the known keys of $id', async ({ secret, sealed, ...expected }) => {
    const keyring = await createKeyring([secret]);
    const { id, blindIndex, refreshToken, pepper } = keyring.newest;
    const actual = {
      id,
      blindIndex: await mac(blindIndex),
      refreshToken: await mac(refreshToken),
      pepper: await mac(pepper),
    };
    expect(actual).toEqual(expected);
    expect(await unseal(keyring, 'users.email:1', sealed)).toBe('ann@example.com');
  });

  it('keeps the order of its secrets, the newest first', async () => {
    const keyring = await createKeyring(vectors.map(({ secret }) => secret));
    expect(keyring.all.map(({ id }) => id)).toEqual(['8xL81QNM', 'vUTAv3mE']);
    expect(keyring.newest).toBe(keyring.all[0]);
  });

  it('gives away no key, and each for its own use only', async () => {
    const { seal, blindIndex, refreshToken, pepper, address } = (await createKeyring([vectors[0]?.secret ?? '']))
      .newest;
    for (const key of [seal, blindIndex, refreshToken, pepper, address]) {
      expect(key.extractable).toBe(false);
      for (const format of ['raw', 'jwk'] as const)
        await expect(crypto.subtle.exportKey(format, key)).rejects.toThrow();
    }
    expect([...seal.usages].toSorted()).toEqual(['decrypt', 'encrypt']);
    for (const key of [blindIndex, refreshToken, pepper, address])
      expect([...key.usages].toSorted()).toEqual(['sign', 'verify']);
    expect(new Set(await Promise.all([blindIndex, refreshToken, pepper, address].map(mac))).size).toBe(4);
  });

  it('of no secret is refused', async () => {
    await expect(createKeyring([])).rejects.toThrow('at least one secret');
  });
});
