import { describe, expect, it } from 'vitest';
import { blindIndexes } from '../../src/crypto/blind-index.ts';
import { createKeyring } from '../../src/crypto/derive.ts';

const oldSecret = 'correct-horse-battery-staple-0123456789';
const newSecret = 'new-secret-'.repeat(4);
const keyring = await createKeyring([oldSecret]);
const indexOf = async (kind: 'email' | 'phone' | 'username', text: string) =>
  (await blindIndexes(keyring, kind, text))[0];

describe('a blind index', () => {
  it('is the known HMAC-SHA-256 of kind and text', async () => {
    // Computed with OpenSSL. Rows are found by it: it must never change.
    expect(await blindIndexes(keyring, 'email', 'ann@example.com')).toEqual([
      'U7-7x6EfS3OefUmCwQJSOdeuyICTb0IRbzFvDfFhS2o',
    ]);
  });

  it('is the same each time', async () => {
    expect(await indexOf('email', 'ann@example.com')).toBe(await indexOf('email', 'ann@example.com'));
    expect(await blindIndexes(await createKeyring([oldSecret]), 'phone', '+1')).toEqual([await indexOf('phone', '+1')]);
  });

  it('differs for each kind and each text, down to one bit', async () => {
    const texts = [
      '',
      'a',
      'b',
      'A',
      'a ',
      'a\0',
      'ann@example.com',
      'ann@example.con',
      'é',
      'e\u0301',
      '+14155550100',
    ];
    const kinds = ['email', 'phone', 'username'] as const;
    const all = await Promise.all(kinds.flatMap((kind) => texts.map((text) => indexOf(kind, text))));
    expect(new Set(all).size).toBe(kinds.length * texts.length);
    for (const index of all) expect(index).toMatch(/^[\w-]{43}$/);
  });

  it('is one for each secret, the newest first', async () => {
    const both = await createKeyring([newSecret, oldSecret]);
    const [newest, older, ...rest] = await blindIndexes(both, 'email', 'ann@example.com');
    expect(rest).toEqual([]);
    expect(older).toBe(await indexOf('email', 'ann@example.com'));
    expect([newest]).toEqual(await blindIndexes(await createKeyring([newSecret]), 'email', 'ann@example.com'));
    expect(newest).not.toBe(older);
  });
});
