import { base64url, errors, jwtVerify, SignJWT } from 'jose';
import * as z from 'zod';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { clockTolerance } from './signing-key-state.ts';
import { type SigningKeys, signingAlgorithm } from './signing-keys.ts';

const type = 'at+jwt';
/** Ours are about 900 characters; anything much longer is not worth parsing. */
const maximumLength = 4096;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const protectedHeader = z.object({ alg: z.literal(signingAlgorithm), kid: z.string() });

/** The claims of an access token (RFC 9068 section 2.2, `auth_time` of section 2.2.1, and `sid`). No personal data. */
export const accessTokenClaims = z
  .object({
    iss: z.string(),
    sub: z.uuid(),
    aud: z.union([z.string(), z.array(z.string())]),
    exp: z.int(),
    iat: z.int(),
    auth_time: z.int().optional().describe('When the user last proved who they are, in seconds since the epoch'),
    jti: z.string(),
    sid: z.uuid(),
    client_id: z.string(),
    scope: z.string(),
    roles: z.array(z.string()),
  })
  .meta({
    id: 'AccessTokenClaims',
    examples: [
      {
        iss: 'https://auth.example.com',
        sub: '019b8a2e-5c1d-7f3a-9b24-6d0e8c417a52',
        aud: 'https://auth.example.com',
        exp: 1_767_519_900,
        iat: 1_767_519_000,
        auth_time: 1_767_519_000,
        jti: '019b8a2e-5c22-7b16-a4d9-0f8e3c627b19',
        sid: '019b8a2e-5c21-7a90-8c3f-2b75d1e6f084',
        client_id: 'first-party',
        scope: 'account',
        roles: ['user'],
      },
    ],
  });

export type AccessTokenClaims = z.output<typeof accessTokenClaims>;

/** What a token says of its session. */
export interface TokenSubject {
  readonly userId: string;
  readonly sessionId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly roles: readonly string[];
  /** When the user last proved who they are, in milliseconds. */
  readonly authenticatedAt: number;
  /** When the session ends at the latest, in milliseconds: no token outlives it. */
  readonly expiresAt: number;
}

type Needs = Pick<Deps, 'config' | 'now'> & { readonly signingKeys: SigningKeys };

/** Signs an access token: `typ: at+jwt`, RS256 (RFC 9068 section 2.1). */
export async function issueAccessToken(
  { config, now, newId, signingKeys }: Needs & Pick<Deps, 'newId'>,
  subject: TokenSubject,
): Promise<string> {
  const { kid, key } = await signingKeys.signing();
  const issuedAt = Math.floor(now() / 1000);
  return await new SignJWT({
    auth_time: Math.floor(subject.authenticatedAt / 1000),
    sid: subject.sessionId,
    client_id: subject.clientId,
    scope: subject.scope,
    roles: [...subject.roles],
  })
    .setProtectedHeader({ alg: signingAlgorithm, typ: type, kid })
    .setIssuer(config.issuer)
    .setAudience(config.audience)
    .setSubject(subject.userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(Math.min(issuedAt + config.accessTokenTtl, Math.floor(subject.expiresAt / 1000)))
    .setJti(newId())
    .sign(key);
}

/**
 * Verifies an access token (RFC 9068 section 4, RFC 8725): algorithm, type, issuer and audience are pinned, 60 s of
 * clock skew are tolerated. Says nothing about revocation.
 * @throws {Problem} `invalid_token`, whatever is wrong; the reason is for the log
 */
export async function verifyAccessToken(
  { config, now, signingKeys }: Needs,
  token: string,
): Promise<AccessTokenClaims> {
  const refuse = (reason: string) => new Problem('invalid_token', { reason });
  if (token.length > maximumLength) throw refuse('too long');
  const header = readCanonical(token);
  if (header === undefined) throw refuse('not a canonical JWS');
  // Before the key is looked for, so that a flood of other algorithms costs nothing.
  const named = protectedHeader.safeParse(header);
  if (!named.success) throw refuse('alg or kid');
  const key = await signingKeys.verifying(named.data.kid);
  if (key === undefined) throw refuse('unknown kid');
  const { payload } = await jwtVerify(token, key, {
    algorithms: [signingAlgorithm],
    typ: type,
    issuer: config.issuer,
    audience: config.audience,
    clockTolerance,
    // Also where its `exp` says more. What was revoked is remembered for as long as this, and no longer.
    maxTokenAge: config.accessTokenTtl,
    currentDate: new Date(now()),
    requiredClaims: ['exp', 'sub', 'jti'],
  }).catch((error: unknown) => {
    throw error instanceof errors.JOSEError ? refuse(error.name) : error;
  });
  const claims = accessTokenClaims.safeParse(payload);
  if (!claims.success) throw refuse('claims');
  return claims.data;
}

/**
 * Reads a token whose three parts are the same when they are written again, as what we sign always is. Padding, blanks
 * and spare bits in base64url (RFC 7515 section 2) would give one token many spellings; of a claim that stands twice
 * parsers may take the first or the last (RFC 7519 section 4).
 * @returns its header, or undefined
 */
function readCanonical(token: string): unknown {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const [header, claims] = parts.map(decodeCanonical);
    parseCanonical(claims);
    return parseCanonical(header);
  } catch {
    return undefined;
  }
}

function decodeCanonical(part: string): Uint8Array {
  const bytes = base64url.decode(part);
  if (base64url.encode(bytes) !== part) throw new Error('Not base64url as we write it');
  return bytes;
}

function parseCanonical(bytes: Uint8Array | undefined): unknown {
  const text = decoder.decode(bytes);
  const value: unknown = JSON.parse(text);
  if (JSON.stringify(value) !== text) throw new Error('Not JSON as we write it');
  return value;
}
