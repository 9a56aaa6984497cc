// Node only: another implementation of HKDF, of HMAC and of AES-GCM computes the same things.
import { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { base64url } from 'jose';
import { expect, it } from 'vitest';
import { createKeyring } from '../../src/crypto/derive.ts';
import { unseal } from '../../src/crypto/seal.ts';

const secrets = [
  ...Array.from({ length: 20 }, () => randomBytes(32).toString('base64')),
  'x'.repeat(32),
  'é'.repeat(40),
  '🔑'.repeat(1000),
];

it.each(secrets)('derives with HKDF-SHA-256 and one info for each purpose (%#)', async (secret) => {
  const derive = (purpose: string, length = 32) =>
    Buffer.from(hkdfSync('sha256', secret, 'edge-auth', `${purpose}/v1`, length));
  const keyring = await createKeyring([secret]);
  const { newest } = keyring;
  expect(newest.id).toBe(derive('key-id', 6).toString('base64url'));
  const message = randomBytes(100);
  const purposes = { 'blind-index': newest.blindIndex, 'refresh-token': newest.refreshToken, pepper: newest.pepper };
  for (const [purpose, key] of Object.entries(purposes)) {
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, message));
    expect(base64url.encode(mac)).toBe(createHmac('sha256', derive(purpose)).update(message).digest('base64url'));
  }
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', derive('seal'), nonce).setAAD(Buffer.from('a.place:1'));
  const bytes = Buffer.concat([nonce, cipher.update('text 🔒'), cipher.final(), cipher.getAuthTag()]);
  expect(await unseal(keyring, 'a.place:1', `${newest.id}.${bytes.toString('base64url')}`)).toBe('text 🔒');
});
