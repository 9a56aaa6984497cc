import { decodeJwt, decodeProtectedHeader, exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { createKeyring } from '../../src/crypto/derive.ts';
import { unseal } from '../../src/crypto/seal.ts';
import { createPostgres } from '../../src/platform/postgres.ts';
import { readSigningKeys } from '../../src/tokens/store.ts';

/** The private key that the service signs with, which only its own secret opens. */
async function signingKey(databaseUrl: string, secret: string, kid: string | undefined) {
  const { db, close } = createPostgres({ url: databaseUrl, poolSize: 1 });
  try {
    const row = (await readSigningKeys(db)).find((each) => each.kid === kid);
    if (row === undefined) throw new Error('No signing key of that name');
    const sealed = await unseal(await createKeyring([secret]), `signing_keys.private:${row.kid}`, row.privateSealed);
    const jwk = JSON.parse(sealed);
    const [own, shown] = await Promise.all([importJWK(jwk, 'RS256'), importJWK({ ...jwk, d: undefined }, 'RS256')]);
    if (own instanceof Uint8Array || shown instanceof Uint8Array) throw new Error('Not an RSA key');
    return { privateKey: own, publicKey: shown };
  } finally {
    await close();
  }
}

/**
 * What a verifier has to refuse, made of a good token: each differs from it in one respect.
 * @returns `Authorization` headers by what is wrong with them; undefined for none
 */
export async function badTokens(
  good: string,
  databaseUrl: string,
  secret: string,
): Promise<Record<string, string | undefined>> {
  const [claims, header] = [decodeJwt(good), { ...decodeProtectedHeader(good), alg: 'RS256' }];
  const { privateKey, publicKey } = await signingKey(databaseUrl, secret, header.kid);
  const stranger = await generateKeyPair('RS256');
  const now = Math.floor(Date.now() / 1000);
  const sign = (changes: object, headerChanges: object = {}, key = privateKey) =>
    new SignJWT({ ...claims, ...changes }).setProtectedHeader({ ...header, ...headerChanges }).sign(key);
  const [head, body, signature] = good.split('.');
  const others = (await sign({ sub: crypto.randomUUID() })).split('.')[1];
  const secretOfHs256 = new TextEncoder().encode(await exportSPKI(publicKey));
  const tokens: Record<string, string> = {
    expired: await sign({ iat: now - 1000, exp: now - 100 }),
    'without an end': await sign({ exp: undefined }),
    'of another audience': await sign({ aud: 'https://other.example' }),
    'without an audience': await sign({ aud: undefined }),
    'of another issuer': await sign({ iss: 'https://other.example' }),
    'signed by a stranger under our kid': await sign({}, {}, stranger.privateKey),
    'of an unknown kid': await sign({}, { kid: 'unknown' }),
    'of other claims under this signature': [head, others, signature].join('.'),
    'without a signature': `${head}.${body}.`,
    'of the typ JWT, as ID tokens have it': await sign({}, { typ: 'JWT' }),
    'without a typ': await sign({}, { typ: undefined }),
    'alg none': new UnsecuredJWT(claims).encode(),
    'alg HS256 with our public key as the secret': await new SignJWT(claims)
      .setProtectedHeader({ ...header, alg: 'HS256' })
      .sign(secretOfHs256),
    'no token at all': 'garbage',
    empty: '',
  };
  return {
    ...Object.fromEntries(Object.entries(tokens).map(([name, token]) => [name, `Bearer ${token}`])),
    'a good one as Basic': `Basic ${good}`,
    'no header': undefined,
  };
}
