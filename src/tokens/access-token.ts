import { base64url, decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import * as z from 'zod';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { clockTolerance, type SigningKeys, signingAlgorithm } from './signing-keys.ts';

const type = 'at+jwt';
/** Ours are about 900 characters; anything much longer is not worth parsing. */
const maximumLength = 4096;

/** The claims of an access token (RFC 9068 section 2.2, and `sid`). No personal data. */
export const accessTokenClaims = z
  .object({
    iss: z.string(),
    sub: z.uuid(),
    aud: z.union([z.string(), z.array(z.string())]),
    exp: z.int(),
    iat: z.int(),
    jti: z.string(),
    sid: z.uuid(),
    client_id: z.string(),
    scope: z.string(),
    roles: z.array(z.string()),
  })
  .meta({ id: 'AccessTokenClaims' });

export type AccessTokenClaims = z.output<typeof accessTokenClaims>;

/** What a token says of its session. */
export interface TokenSubject {
  readonly userId: string;
  readonly sessionId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly roles: readonly string[];
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
    .setExpirationTime(issuedAt + config.accessTokenTtl)
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
  const parts = token.split('.');
  if (parts.length !== 3 || !isCanonical(parts[0]) || !isCanonical(parts[1])) throw refuse('not a canonical JWS');
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    // Before the key is looked for, so that a flood of other algorithms costs nothing.
    if (alg !== signingAlgorithm || kid === undefined) throw refuse('alg or kid');
    const key = await signingKeys.verifying(kid);
    if (key === undefined) throw refuse('unknown kid');
    const { payload } = await jwtVerify(token, key, {
      algorithms: [signingAlgorithm],
      typ: type,
      issuer: config.issuer,
      audience: config.audience,
      clockTolerance,
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'iat', 'sub', 'jti'],
    });
    const claims = accessTokenClaims.safeParse(payload);
    if (!claims.success) throw refuse('claims');
    return claims.data;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw refuse(error.name);
    throw error;
  }
}

/**
 * Whether a part of the token reads the same when it is written again. What we sign always does; a claim that stands
 * twice, of which parsers may take the first or the last (RFC 7519 section 4), does not.
 */
function isCanonical(part: string | undefined): boolean {
  if (part === undefined) return false;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(base64url.decode(part));
    return JSON.stringify(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}
