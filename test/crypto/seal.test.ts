import { base64url } from 'jose';
import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../src/crypto/derive.ts';
import { SealError, seal, unseal } from '../../src/crypto/seal.ts';

const place = 'users.email:018f0000-0000-7000-8000-000000000001';
const [oldSecret, newSecret] = ['old-secret-'.repeat(4), 'new-secret-'.repeat(4)];
const keyring = await createKeyring([oldSecret]);
const sealed = await seal(keyring, place, 'ann@example.com');
const [id = '', encoded = ''] = sealed.split('.');
const bytes = base64url.decode(encoded);

const flipped = (at: number) => {
  const changed = new Uint8Array(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return `${id}.${base64url.encode(changed)}`;
};

describe('a sealed value', () => {
  it.each(['', 'ann@example.com', 'пароль 🔑 \0', '\uFEFFx', 'x'.repeat(100_000)])(
    'opens to what was sealed (%#)',
    async (text) => {
      expect(await unseal(keyring, place, await seal(keyring, place, text))).toBe(text);
    },
  );

  it('names its secret, shows nothing of the text but its length, and is another one each time', async () => {
    expect(id).toBe(keyring.newest.id);
    expect(bytes).toHaveLength(12 + 'ann@example.com'.length + 16);
    const all = await Promise.all(Array.from({ length: 100 }, () => seal(keyring, place, 'ann@example.com')));
    const nonces = all.map((each) => base64url.encode(base64url.decode(each.split('.')[1] ?? '').subarray(0, 12)));
    expect(new Set(nonces).size).toBe(100);
  });

  it('does not open with any bit of its nonce, ciphertext or tag changed', async () => {
    for (let at = 0; at < bytes.length; at += 1) {
      await expect(unseal(keyring, place, flipped(at)), String(at)).rejects.toBeInstanceOf(SealError);
    }
  });

  it.each([
    ['another column', 'users.phone:018f0000-0000-7000-8000-000000000001'],
    ['another row', 'users.email:018f0000-0000-7000-8000-000000000002'],
    ['a place of no name', ''],
    ['a place with a longer name', `${place}0`],
  ])('does not open in %s', async (_, other) => {
    await expect(unseal(keyring, other, sealed)).rejects.toBeInstanceOf(SealError);
  });

  it.each([
    ['nothing', ''],
    ['a dot', '.'],
    ['a text that was never sealed', 'ann@example.com'],
    ['its secret alone', id],
    ['its secret and a dot', `${id}.`],
    ['its end missing', sealed.slice(0, -2)],
    ['its nonce alone', `${id}.${base64url.encode(bytes.subarray(0, 12))}`],
    ['its nonce missing', `${id}.${base64url.encode(bytes.subarray(12))}`],
    ['less than a nonce', `${id}.AAAA`],
    ['one part more', `${sealed}.${encoded}`],
    ['a dot more', `${sealed}.`],
    ['no secret', `.${encoded}`],
    ['an unknown secret', `AAAAAAAA.${encoded}`],
    ['letters that are not of base64url', `${id}.${encoded.slice(0, -1)}!`],
  ])('is not %s', async (_, text) => {
    await expect(unseal(keyring, place, text)).rejects.toBeInstanceOf(SealError);
  });

  it('does not open under another secret, also one that claims the same id', async () => {
    const other = await createKeyring([newSecret]);
    await expect(unseal(other, place, sealed)).rejects.toBeInstanceOf(SealError);
    const posing = { ...other.newest, id };
    await expect(
      unseal({ newest: posing, all: [posing], accepted: () => [posing] }, place, sealed),
    ).rejects.toBeInstanceOf(SealError);
    await expect(unseal(other, place, `${other.newest.id}.${encoded}`)).rejects.toBeInstanceOf(SealError);
  });

  it('opens after the secret was replaced while the old one is kept; new ones are sealed under the new secret', async () => {
    const both = await createKeyring([newSecret, oldSecret]);
    expect(await unseal(both, place, sealed)).toBe('ann@example.com');
    const fresh = await seal(both, place, 'ann@example.com');
    expect(fresh.split('.')[0]).toBe(both.newest.id);
    expect(await unseal(await createKeyring([newSecret]), place, fresh)).toBe('ann@example.com');
    await expect(unseal(keyring, place, fresh)).rejects.toBeInstanceOf(SealError);
  });

  it('tells nothing in its errors', async () => {
    const errors = await Promise.all(
      [flipped(20), `AAAAAAAA.${encoded}`, 'secret text'].map((text) => unseal(keyring, place, text).catch(String)),
    );
    for (const error of errors) {
      for (const part of [place, encoded, 'secret text', 'ann@']) expect(error).not.toContain(part);
    }
  });
});
