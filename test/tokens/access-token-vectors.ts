import { base64url } from 'jose';
import { type Forger, hmacKey, rs256, spki, strangersKey } from './forge.ts';

export interface Vector {
  readonly name: string;
  /** What the log gives as reason: the check that is meant has to be the one that refuses. */
  readonly reason: string;
  readonly make: (forger: Forger) => string | Promise<string>;
}

type Group = Readonly<Record<string, Vector['make']>>;
const group = (reason: string, vectors: Group): Vector[] =>
  Object.entries(vectors).map(([name, make]) => ({ name, reason, make }));

const unsigned = ({ header, claims }: Forger, alg: unknown) =>
  `${base64url.encode(JSON.stringify({ ...header, alg }))}.${base64url.encode(JSON.stringify(claims))}.`;
const parts = async (forger: Forger): Promise<[string, string, string]> => {
  const [header = '', claims = '', signature = ''] = (await forger.token()).split('.');
  return [header, claims, signature];
};
const texts = ({ header, claims }: Forger) => ({ header: JSON.stringify(header), claims: JSON.stringify(claims) });
const sha = (bits: number) => ({ name: 'RSASSA-PKCS1-v1_5', hash: `SHA-${bits}` });
const pss = { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 };
const elsewhere = 'https://attacker.test/jwks.json';

/** RFC 8725 section 3.1 and 3.2: the token does not choose its algorithm. */
const algorithms = [
  ...group('alg or kid', {
    ...Object.fromEntries(
      ['none', 'None', 'NONE', 'nOnE', 'none ', '', null, true, ['none']].map((alg) => [
        `alg ${JSON.stringify(alg)} without a signature`,
        (forger: Forger) => unsigned(forger, alg),
      ]),
    ),
    'alg none with a good signature': (f) => f.token({ header: { alg: 'none' } }),
    'no alg': (f) => f.token({ header: { alg: undefined } }),
    'alg in lower case': (f) => f.token({ header: { alg: 'rs256' } }),
    'alg as a list': (f) => f.token({ header: { alg: ['RS256'] } }),
    'HS256 with the public key in PEM as secret': async (f) =>
      f.signWith(await hmacKey((await spki(f.publicJwk)).pem), { alg: 'HS256' }, 'HMAC'),
    'HS256 with the public key in DER as secret': async (f) =>
      f.signWith(await hmacKey((await spki(f.publicJwk)).der), { alg: 'HS256' }, 'HMAC'),
    'HS256 with the public JWK as secret': async (f) =>
      f.signWith(await hmacKey(JSON.stringify(f.publicJwk)), { alg: 'HS256' }, 'HMAC'),
    'HS256 with the modulus as secret': async (f) =>
      f.signWith(await hmacKey(base64url.decode(f.publicJwk.n ?? '')), { alg: 'HS256' }, 'HMAC'),
    'RS384 by the right key': (f) => f.sign(JSON.stringify({ ...f.header, alg: 'RS384' }), texts(f).claims, sha(384)),
    'RS512 by the right key': (f) => f.sign(JSON.stringify({ ...f.header, alg: 'RS512' }), texts(f).claims, sha(512)),
    'PS256 by the right key': (f) => f.sign(JSON.stringify({ ...f.header, alg: 'PS256' }), texts(f).claims, pss),
    'ES256 that is stated only': (f) => f.token({ header: { alg: 'ES256' } }),
    'an encrypted token’s alg': (f) => f.token({ header: { alg: 'RSA-OAEP-256', enc: 'A256GCM' } }),
  }),
  ...group('JWSSignatureVerificationFailed', {
    'RS256 stated and RS384 made': (f) => f.sign(texts(f).header, texts(f).claims, sha(384)),
    'RS256 stated and RS512 made': (f) => f.sign(texts(f).header, texts(f).claims, sha(512)),
    'RS256 stated and PS256 made': (f) => f.sign(texts(f).header, texts(f).claims, pss),
    'RS256 stated and HS256 made': async (f) => f.signWith(await hmacKey((await spki(f.publicJwk)).pem), {}, 'HMAC'),
  }),
];

/** Section 3.10: a key is found by a `kid` that is published here, and nowhere else. */
const keys = [
  ...group('alg or kid', {
    ...Object.fromEntries(
      [undefined, 1, null, true, ['a'], { a: 1 }].map((kid) => [
        `kid ${JSON.stringify(kid)}`,
        (f: Forger) => f.token({ header: { kid } }),
      ]),
    ),
    'kid as a list of the right one': (f) => f.token({ header: { kid: [f.header['kid']] } }),
    'a header that is a list': (f) => f.sign(`[${texts(f).header}]`, texts(f).claims),
    'a header that is null': (f) => f.sign('null', texts(f).claims),
    'a header as deep as fits': () => {
      const deep = `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`;
      return `${base64url.encode(deep)}.${base64url.encode(deep)}.AA`;
    },
  }),
  ...group('unknown kid', {
    ...Object.fromEntries(
      ['nobody', '', '__proto__', 'constructor', '../../../dev/null', "' or 1=1 --"].map((kid) => [
        `kid ${JSON.stringify(kid)}`,
        (f: Forger) => f.token({ header: { kid } }),
      ]),
    ),
    'kid in another case': (f) => f.token({ header: { kid: String(f.header['kid']).toUpperCase() } }),
    'a key of its own in jwk': async (f) => {
      const { key, publicJwk } = await strangersKey();
      return f.signWith(key, { kid: 'mine', jwk: publicJwk });
    },
    'an address of keys in jku': async (f) => f.signWith((await strangersKey()).key, { kid: 'mine', jku: elsewhere }),
  }),
  ...group('JWSSignatureVerificationFailed', {
    'the same kid by the key of another service': async (f) => f.signWith((await strangersKey()).key),
    'the same kid and another key in jwk': async (f) => {
      const { key, publicJwk } = await strangersKey();
      return f.signWith(key, { jwk: publicJwk });
    },
    'the same kid and jku': async (f) => f.signWith((await strangersKey()).key, { jku: elsewhere }),
    'the same kid and x5u': async (f) => f.signWith((await strangersKey()).key, { x5u: elsewhere }),
    'the same kid and x5c': async (f) => f.signWith((await strangersKey()).key, { x5c: ['MIIB'] }),
    'the signature of another token': async (f) => {
      const [header, claims] = await parts(f);
      return [header, claims, (await f.token({ claims: { jti: 'another' } })).split('.')[2]].join('.');
    },
    'the claims of another token': async (f) => {
      const [header, , signature] = await parts(f);
      return [header, base64url.encode(JSON.stringify({ ...f.claims, roles: ['admin'] })), signature].join('.');
    },
    'no signature': async (f) => `${(await parts(f)).slice(0, 2).join('.')}.`,
    'a signature of one byte': async (f) => `${(await parts(f)).slice(0, 2).join('.')}.AA`,
    'a signature of zeros': async (f) =>
      `${(await parts(f)).slice(0, 2).join('.')}.${base64url.encode(new Uint8Array(256))}`,
    'a signature that is too long': async (f) => {
      const [header, claims, signature] = await parts(f);
      const long = new Uint8Array(257);
      long.set(base64url.decode(signature));
      return [header, claims, base64url.encode(long)].join('.');
    },
    'a header with one more member': async (f) => {
      const [, claims, signature] = await parts(f);
      return [base64url.encode(JSON.stringify({ ...f.header, x: 1 })), claims, signature].join('.');
    },
  }),
];

/** Sections 3.8, 3.9 and 3.11: for whom, by whom and of what kind. */
const kinds = group('JWTClaimValidationFailed', {
  ...Object.fromEntries(
    [undefined, 'JWT', 'jwt', '', 'at', 'at+jwt ', 'id_token+jwt', 'logout+jwt', 'rt+jwt', null, ['at+jwt'], 1].map(
      (typ) => [`typ ${JSON.stringify(typ)}`, (f: Forger) => f.token({ header: { typ } })],
    ),
  ),
  ...Object.fromEntries(
    [undefined, '', 'https://auth.test/', 'https://AUTH.test', 'https://auth.test.attacker.test', null, 1].map(
      (iss) => [`iss ${JSON.stringify(iss)}`, (f: Forger) => f.token({ claims: { iss } })],
    ),
  ),
  'iss as a list': (f) => f.token({ claims: { iss: [f.claims['iss']] } }),
  ...Object.fromEntries(
    [undefined, '', 'https://other.test', 'https://auth.test/x', [], ['https://other.test'], null, 1, {}].map((aud) => [
      `aud ${JSON.stringify(aud)}`,
      (f: Forger) => f.token({ claims: { aud } }),
    ]),
  ),
  'aud as a list in a list': (f) => f.token({ claims: { aud: [[f.claims['aud']]] } }),
});

const times = [
  ...group('JWTExpired', {
    'expired at the end of the skew': (f) => f.token({ claims: { exp: f.now - 60 } }),
    'expired long ago': (f) => f.token({ claims: { exp: 1 } }),
    'older than the service lets any token be, whatever its exp': (f) =>
      f.token({ claims: { iat: f.now - 961, exp: f.now + 900 } }),
    'a negative iat': (f) => f.token({ claims: { iat: -1 } }),
    'a negative exp': (f) => f.token({ claims: { exp: -1e15 } }),
  }),
  ...group('JWTClaimValidationFailed', {
    'no exp': (f) => f.token({ claims: { exp: undefined } }),
    'no iat': (f) => f.token({ claims: { iat: undefined } }),
    'exp as a text': (f) => f.token({ claims: { exp: '99999999999' } }),
    'exp null': (f) => f.token({ claims: { exp: null } }),
    'exp as a list': (f) => f.token({ claims: { exp: [99_999_999_999] } }),
    'iat as a text': (f) => f.token({ claims: { iat: '1' } }),
    'issued beyond the skew': (f) => f.token({ claims: { iat: f.now + 61 } }),
    'nbf beyond the skew': (f) => f.token({ claims: { nbf: f.now + 61 } }),
    'nbf as a text': (f) => f.token({ claims: { nbf: '1' } }),
  }),
  ...group('claims', {
    'exp beyond what a number holds exactly': (f) => f.token({ claims: { exp: 2 ** 53 } }),
    'a huge exp': (f) => f.token({ claims: { exp: 1e300 } }),
    'a broken exp': (f) => f.token({ claims: { exp: f.now + 0.5 } }),
    'a broken iat': (f) => f.token({ claims: { iat: f.now - 0.5 } }),
  }),
  ...group('not a canonical JWS', {
    'an exp beyond any number': (f) => f.sign(texts(f).header, texts(f).claims.replace(/"exp":\d+/, '"exp":1e999')),
    'an exp with an exponent': (f) => f.sign(texts(f).header, texts(f).claims.replace(/"exp":\d+/, '"exp":9e9')),
  }),
];

const subjects = [
  ...group('JWTClaimValidationFailed', {
    'no sub': (f) => f.token({ claims: { sub: undefined } }),
    'no jti': (f) => f.token({ claims: { jti: undefined } }),
  }),
  ...group('claims', {
    ...Object.fromEntries(
      ['', 'admin', '018f0000-0000-7000-8000-00000000000', "'; drop table users --", 1, null, ['a'], {}].flatMap(
        (id) => [
          [`sub ${JSON.stringify(id)}`, (f: Forger) => f.token({ claims: { sub: id } })],
          [`sid ${JSON.stringify(id)}`, (f: Forger) => f.token({ claims: { sid: id } })],
        ],
      ),
    ),
    'no sid': (f) => f.token({ claims: { sid: undefined } }),
    'no client_id': (f) => f.token({ claims: { client_id: undefined } }),
    'no scope': (f) => f.token({ claims: { scope: undefined } }),
    'no roles': (f) => f.token({ claims: { roles: undefined } }),
    'a number as jti': (f) => f.token({ claims: { jti: 1 } }),
    'a list as scope': (f) => f.token({ claims: { scope: ['account'] } }),
    'a text as roles': (f) => f.token({ claims: { roles: 'admin' } }),
    'a number in roles': (f) => f.token({ claims: { roles: ['user', 1] } }),
    'a number beside the audience': (f) => f.token({ claims: { aud: [f.claims['aud'], 1] } }),
  }),
];

/** RFC 7515 section 4.1.11. */
const critical = [
  ...group('JOSENotSupported', {
    'an unknown crit': (f) => f.token({ header: { crit: ['x'], x: 1 } }),
    'a crit of a registered name': (f) => f.token({ header: { crit: ['exp'], exp: 1 } }),
  }),
  ...group('JWSInvalid', {
    'an empty crit': (f) => f.token({ header: { crit: [] } }),
    'a text as crit': (f) => f.token({ header: { crit: 'b64' } }),
    'a crit that names what is not there': (f) => f.token({ header: { crit: ['b64'] } }),
  }),
  ...group('JWTInvalid', {
    'claims as a list': (f) => f.sign(texts(f).header, `[${texts(f).claims}]`),
    'claims as a text': (f) => f.sign(texts(f).header, JSON.stringify(texts(f).claims)),
    'claims null': (f) => f.sign(texts(f).header, 'null'),
  }),
];

const first = (text: string, replacement: string) => text.replace(/^\{/, `{${replacement}`);
/** Section 2.4 of RFC 8725, and one spelling for one token: what parsers read differently is not read at all. */
const spellings = group('not a canonical JWS', {
  'a claim that stands twice': (f) => f.sign(texts(f).header, first(texts(f).claims, '"sub":"admin",')),
  'a claim that stands twice alike': (f) =>
    f.sign(texts(f).header, first(texts(f).claims, '"client_id":"first-party",')),
  'a claim that stands twice, once escaped': (f) =>
    f.sign(texts(f).header, first(texts(f).claims, String.raw`"\u0073ub":"admin",`)),
  'a header member that stands twice': (f) => f.sign(first(texts(f).header, '"alg":"none",'), texts(f).claims),
  'a header member that stands twice alike': (f) => f.sign(first(texts(f).header, '"alg":"RS256",'), texts(f).claims),
  'blanks in the claims': (f) => f.sign(texts(f).header, JSON.stringify(f.claims, null, 1)),
  'blanks in the header': (f) => f.sign(JSON.stringify(f.header, null, 1), texts(f).claims),
  'a line break after the claims': (f) => f.sign(texts(f).header, `${texts(f).claims}\n`),
  'a byte order mark': (f) => f.sign(texts(f).header, `\uFEFF${texts(f).claims}`),
  'a second document': (f) => f.sign(texts(f).header, texts(f).claims.repeat(2)),
  'claims that are no JSON': (f) => f.sign(texts(f).header, 'sub=admin'),
  'empty claims': (f) => f.sign(texts(f).header, ''),
  'an empty header': (f) => f.sign('', texts(f).claims),
  'claims that are no UTF-8': async (f) => {
    const [header, , signature] = await parts(f);
    return [header, base64url.encode(new Uint8Array([0x22, 0xff, 0x22])), signature].join('.');
  },
  'padding after the header': async (f) => (await parts(f)).with(0, `${(await parts(f))[0]}==`).join('.'),
  'padding after the claims': async (f) => (await parts(f)).with(1, `${(await parts(f))[1]}=`).join('.'),
  'padding after the signature': async (f) => `${await f.token()}==`,
  'a tab in the signature': async (f) => (await f.token()).replace(/.{9}$/, '\t$&'),
  'another last letter of the signature that stands for the same bytes': async (f) => {
    const token = await f.token();
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1);
  },
  'the other base64 alphabet': (f) =>
    f.token({ claims: { jti: '???>>>ÿÿÿ' } }).then((token) => token.replaceAll('-', '+').replaceAll('_', '/')),
  'the header without its end': async (f) => (await parts(f)).with(0, (await parts(f))[0].slice(0, -4)).join('.'),
  'the claims without their end': async (f) => (await parts(f)).with(1, (await parts(f))[1].slice(0, -4)).join('.'),
  'the signature without its last letter': async (f) => (await f.token()).slice(0, -1),
  'no signature and no dot before it': async (f) => (await parts(f)).slice(0, 2).join('.'),
  'the header alone': async (f) => (await parts(f))[0],
  'one dot': () => '.',
  'two dots': () => '..',
  'four parts': async (f) => `${await f.token()}.AAAA`,
  'five parts, as an encrypted token has': async (f) => `${(await parts(f)).join('.')}.AAAA.AAAA`,
  'a token in JSON serialisation': async (f) => {
    const [header, payload, signature] = await parts(f);
    return JSON.stringify({ protected: header, payload, signature });
  },
  'a refresh token': () => `018f0000-0000-7000-8000-000000000001.0.${'A'.repeat(43)}`,
});

const sizes = group('too long', {
  'a header of 100 KB': (f) => f.token({ header: { x: 'x'.repeat(100_000) } }),
  'claims of 100 KB': (f) => f.token({ claims: { x: 'x'.repeat(100_000) } }),
  'a signature of 100 KB': async (f) => (await f.token()) + 'A'.repeat(100_000),
  '100,000 dots': () => '.'.repeat(100_000),
});

export const vectors: readonly Vector[] = [
  ...algorithms,
  ...keys,
  ...kinds,
  ...times,
  ...subjects,
  ...critical,
  ...spellings,
  ...sizes,
];

export const accepted: readonly Omit<Vector, 'reason'>[] = Object.entries<Vector['make']>({
  'a token as the service makes it': (f) => f.token(),
  'typ with its prefix': (f) => f.token({ header: { typ: 'application/at+jwt' } }),
  'a list of audiences with this one in it': (f) =>
    f.token({ claims: { aud: ['https://other.test', f.claims['aud']] } }),
  'expired within the skew': (f) => f.token({ claims: { exp: f.now - 59 } }),
  'issued within the skew': (f) => f.token({ claims: { iat: f.now + 60 } }),
  'as old as a token may be and the skew': (f) => f.token({ claims: { iat: f.now - 960 } }),
  'nbf within the skew': (f) => f.token({ claims: { nbf: f.now + 60 } }),
  'a claim it does not know': (f) => f.token({ claims: { locale: 'ünï' } }),
  'an algorithm stated as made': (f) => f.sign(texts(f).header, texts(f).claims, rs256),
}).map(([name, make]) => ({ name, make }));
