import { describe, expect, it } from 'vitest';
import { runtime } from '#test-runtime';
import { importedUser } from '../../src/accounts/import-schema.ts';
import { nodeLimits, workersImportLimits, workersLimits } from '../../src/crypto/hashing.ts';
import { readForeignHash } from '../../src/crypto/legacy/index.ts';
import { createPasswordHasher } from '../../src/crypto/password-hash.ts';

const { hashing } = runtime;
const algorithm = { name: 'HMAC', hash: 'SHA-256' };
const key = await crypto.subtle.importKey('raw', new Uint8Array(32), algorithm, false, ['sign']);
const devise = 'ab'.repeat(64);
const hasher = createPasswordHasher({
  hashing,
  peppers: [{ id: 'pepper', key }],
  legacyPeppers: new Map([['devise', devise]]),
  parameters: { memory: 64, iterations: 1, parallelism: 1 },
});

const pw = 'pässwörd';
/** The parameters of Firebase's own example. */
const signer = 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==';

/** Made by the libraries themselves: Django 3.2, passlib 1.7, Werkzeug 2.2, PHP 8.2, Better Auth 1.7 and others. */
const vectors: readonly (readonly [source: string, password: string, hash: string])[] = [
  ['PHP, unused bits set', pw, '$2y$05$abcdefghijklmnopqrstuvZVEMa1pjhlynBQ1qXmSvGBJpN9h1w8H'],
  ['Django bcrypt', pw, 'bcrypt$$2b$05$548016rEKqG9x2X1oz8LKuxdt/IkPwgDz9z2AZ88n3Q9NctLY41KO'],
  ['LDAP bcrypt', pw, '{CRYPT}$2b$05$MJ2gUWb1/WOFodorbSnop.cnDmJ804pgOtw2Wea2U/62upJ5N6Vo6'],
  ['Spring bcrypt', pw, '{bcrypt}$2b$05$MJ2gUWb1/WOFodorbSnop.cnDmJ804pgOtw2Wea2U/62upJ5N6Vo6'],
  ['Django bcrypt_sha256', pw, 'bcrypt_sha256$$2b$05$hXNZMQ2BVxt03sEDGwJ82upBrl7690J1swUBPFR9wRK4QyRjMCOqC'],
  [
    'Django bcrypt_sha256 of 80 characters',
    'x'.repeat(80),
    'bcrypt_sha256$$2b$05$qlQuR0cM6pNQPv8N2njd3e5Wpb3L1xz5p.GO3fhSv9qNLT2gWzkMO',
  ],
  ['WordPress 6.8', pw, '$wp$2y$05$AiAaiwmiUn.J4Wg0Y/PbL.XYpQFuv7WdzPXWhju1/jAyaBNKBf4ai'],
  [
    'passlib bcrypt_sha256 v2',
    pw,
    '$bcrypt-sha256$v=2,t=2b,r=5$EYDglMiXCQY8xd/C9lA88.$mbkFZihF9TrucWbmSbK7TXhfAKreXOq',
  ],
  ['passlib bcrypt_sha256 v1', pw, '$bcrypt-sha256$2b,5$3A7RHnupoEN7DgwDtUGrtu$mTID70xoDYau1dvbeOiTv/MUpyAP0r2'],
  ['Devise with a pepper', pw, '$bcrypt-pepper$devise$2y$05$4dkbSDaTLG9Af/jILMFf3uTMircWkT1LhN7YQA9KZdUFi5/0B469q'],
  ['Django PBKDF2', pw, 'pbkdf2_sha256$5000$seasalt$DGDJc+w6VPCoWpxtKH1UQHr5PEbOykasLsaLFDgVUUc='],
  ['Django PBKDF2 SHA-1', pw, 'pbkdf2_sha1$5000$seasalt$DZq49AXAvpOzEPZKktCjzwKUWKk='],
  ['passlib PBKDF2', pw, '$pbkdf2-sha256$1000$dA6hVEpJSQlhrPV.zznnvA$RqOg1gW2KN4GcWreQ3/Iah41mCZ/l76IkEkrUL3SriU'],
  [
    'passlib PBKDF2 SHA-512',
    pw,
    '$pbkdf2-sha512$1000$fM95z1nr/b.39l6L0Vqr9Q$rAsmluYVcskm0ADuUV.Kh.oX6MBQYvGSncLAww9fgLwiLinpmPWGQUUAEu40V1Wruyy8QBf43tiLesEYk4j8.Q',
  ],
  ['passlib PBKDF2 SHA-1', pw, '$pbkdf2$1000$Nwag1Pqf835PqfUeI0TI2Q$7tr/uryncEQikCFheiFPaaafuqU'],
  ['OpenLDAP PBKDF2', pw, '{PBKDF2-SHA256}1000$ZaxVyvk/R6g1hlAqZWyt9Q$fl4yJO0zwysUYTW.ukiV/xuteXrGcvB1o5ApJGV1W00'],
  [
    'Werkzeug PBKDF2',
    pw,
    'pbkdf2:sha256:1000$wRvVhRb59oICgPPw$509ea64281d0415601ee016477f8e5c7e089acd86f8b59ab3c9ff7172be657a9',
  ],
  [
    'Werkzeug scrypt',
    pw,
    'scrypt:1024:8:1$abcdefghijklmnop$61b41706173ba2c23df04205d3bce2d4db8b3c9e803d8c0a83bd6146b1cc222df3e51b139ec0e551fef8e4ba3fc149157eca76e2aa6bfb6b595fbe9ff2d7f12c',
  ],
  ['passlib scrypt', pw, '$scrypt$ln=10,r=8,p=1$SQkhZEzJ2RsDIERIKcXYew$+gPKuKuDQI/Bez8iHIAVyNVk0g6ELJyMPgibUrL5hX8'],
  [
    'Kratos scrypt',
    pw,
    '$scrypt$ln=1024,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg==$TGOG+s1NLmSxVhUf5etn2dmhsDJkPbU1xHpAsYvO5Bo=',
  ],
  [
    'Better Auth, which normalises',
    'pässwörd ﬁrst',
    'e2da41f41d4d46c9603353addde0bad4:2badd25d41fa1e037a227c56d1853ba373b6933364241366e4cb0eb60a1847b4c586fd2a51fbc013b003c0aa98579a77d9f33be054797ee125d539b720af0a54',
  ],
  [
    'Firebase',
    pw,
    `$firescrypt$ln=14,r=8,p=1$42xEC+ixf3L2lw==$F6lgfOnU/kcEi9x32N6c79LU6iccneFQkXDzzrDmUGcbs8vJC99GAmD/IIkuzM8a9V6tYl1HhLbWTkgc/cOBQg==$Bw==$${signer}`,
  ],
  [
    'Firebase, as Supabase writes it',
    pw,
    `$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=${signer}$42xEC+ixf3L2lw==$F6lgfOnU/kcEi9x32N6c79LU6iccneFQkXDzzrDmUGcbs8vJC99GAmD/IIkuzM8a9V6tYl1HhLbWTkgc/cOBQg==`,
  ],
  [
    'the example of Firebase',
    'user1password',
    `$firescrypt$ln=14,r=8,p=1$42xEC-ixf3L2lw==$lSrfV15cpx95_sZS2W9c9Kp6i_LVgQNDNC_qzrCnh1SAyZvqmZqAjTdn3aoItz-VHjoZilo78198JAdRuid5lQ==$Bw==$${signer}`,
  ],
  [
    'ASP.NET Core Identity 3',
    pw,
    'AQAAAAEAACcQAAAAENHw/QDqh0s+skWh22KzuCaq4OMmCIJtG2Z2rfKfrSp4R/TzjyXDvD5P0ldIbbGDpA==',
  ],
  ['ASP.NET Core Identity 3, SHA-512', 'my password', 'AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw'],
  ['ASP.NET Core Identity 3, SHA-1', 'my password', 'AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M'],
  ['ASP.NET Identity 2', pw, 'AAkGiCZoC1ds1lUEUoj6EmnVzdBcuQfsgXRl93nGwNK3uT45rEetmZRshDCVzGvZ+w=='],
  ['phpass of WordPress', pw, '$P$6Rq7QE1SNBLs7ZLZmyIpsnz0FkUm5D.'],
  ['phpass of phpBB', pw, '$H$97dDFbVbKLFDyY9hzBq.ZAbfboA53J/'],
];

describe('hashes of other systems, made by their own libraries', () => {
  it.each(vectors)('%s verifies, and is stored in a spelling that verifies too', async (_, password, hash) => {
    const read = readForeignHash(hash, workersLimits);
    if ('refused' in read) throw new Error(read.refused);
    expect(await hasher.verify(password, hash)).toEqual({ valid: true, needsUpgrade: true });
    expect(await hasher.verify(`${password}x`, hash)).toMatchObject({ valid: false });
    expect(readForeignHash(read.stored, workersLimits)).toMatchObject({ stored: read.stored, form: read.form });
    expect(await hasher.verify(password, read.stored)).toEqual({ valid: true, needsUpgrade: true });
    expect(read.stored.length).toBeLessThanOrEqual(512);
  });

  it.each([
    ['Django argon2', pw, 'argon2$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHQxNmJ5dGVzIQ$y6hIsc0T+RisGRi2j2c0Hw'],
    [
      'Django PBKDF2 of a million',
      pw,
      'pbkdf2_sha256$1000000$lz4CbbbQZ4OzIXMv9gPLfk$QBq4aVeMfYXrg/m+8HJQ118JSFEbndiDhxWj0WYlBLc=',
    ],
  ])('%s verifies on Node, and Workers refuse it with a reason', async (_, password, hash) => {
    const { valid } = await hasher.verify(password, hash);
    expect(valid).toBe(runtime.name === 'node');
    expect(readForeignHash(hash, nodeLimits)).not.toHaveProperty('refused');
    expect(readForeignHash(hash, workersLimits)).toMatchObject({
      refused: expect.stringContaining('Workers verifies'),
    });
  });

  it('clears what bcrypt does not use, salt and digest alike', () => {
    const read = (last: readonly [string, string]) =>
      readForeignHash(`$2y$05$abcdefghijklmnopqrstu${last[0]}ZVEMa1pjhlynBQ1qXmSvGBJpN9h1w8${last[1]}`, nodeLimits);
    const stored = '$2y$05$abcdefghijklmnopqrstuuZVEMa1pjhlynBQ1qXmSvGBJpN9h1w8G';
    for (const last of [
      ['u', 'G'],
      ['v', 'H'],
      ['9', 'J'],
      ['z', 'I'],
    ] as const) {
      expect(read(last)).toMatchObject({ stored });
    }
  });

  it('a bcrypt hash with a pepper does not verify without it', async () => {
    const hash = '$bcrypt-pepper$other$2y$05$4dkbSDaTLG9Af/jILMFf3uTMircWkT1LhN7YQA9KZdUFi5/0B469q';
    expect(await hasher.verify(pw, hash)).toMatchObject({ valid: false });
    expect(readForeignHash(hash, nodeLimits)).toMatchObject({ pepper: 'other' });
  });
});

describe('hashes that are verified nowhere', () => {
  const parts = 'abcdefghijklmnopqrstuuZVEMa1pjhlynBQ1qXmSvGBJpN9h1w8G';
  it.each([
    ['$2x$05$', parts, /broken implementation/],
    ['$2b$15$', parts, /cost 15: Node verifies 4 to 14/],
    ['$argon2id$v=19$m=4194304,t=3,p=1$', 'c29tZXNhbHQ$dGFndGFndGFndGFn', /m=4194304, t=3, p=1: Node verifies m up to/],
    ['$scrypt$ln=30,r=8,p=1$', 'c29tZXNhbHQ$dGFndGFndGFndGFndGFndGFn', /N=1073741824.*Node verifies/],
    [
      'pbkdf2_sha256$9000000$',
      'seasalt$DGDJc+w6VPCoWpxtKH1UQHr5PEbOykasLsaLFDgVUUc=',
      /9000000 iterations: Node verifies/,
    ],
    ['$P$Z', 'Rq7QE1SNBLs7ZLZmyIpsnz0FkUm5D.', /phpass of 2\^37 rounds/],
    ['', '5f4dcc3b5aa765d61d8327deb882cf99', /without a cost/],
    ['{SSHA}', 'AAAA', /without a cost/],
    ['md5$', 'salt$hash', /without a cost/],
    ['$6$', 'salt$hash', /sha-crypt/],
    ['$1$', 'salt$hash', /md5crypt/],
    ['$y$', 'j9T$salt$hash', /yescrypt/],
    ['!', 'abc', /without a password/],
    ['', 'plain', /Not a supported kind/],
  ])('%s: the reason is told, and no value', (prefix, rest, reason) => {
    const read = readForeignHash(prefix + rest, nodeLimits);
    expect(read).toMatchObject({ refused: expect.stringMatching(reason) });
    expect(JSON.stringify(read)).not.toContain(rest);
  });

  it.each([
    ['$pbkdf2-sha256$i=1$', 'MDEyMzQ1Njc4OWFiY2RlZg$RqOg1gW2KN4GcWreQ3/Iah41mCZ/l76IkEkrUL3SriU', /PBKDF2 with 1 iter/],
    ['pbkdf2_sha256$999$', 'seasalt$DGDJc+w6VPCoWpxtKH1UQHr5PEbOykasLsaLFDgVUUc=', /PBKDF2 with 999 iterations/],
    ['$scrypt$ln=1,r=8,p=1$', 'SQkhZEzJ2RsDIERIKcXYew$+gPKuKuDQI/Bez8iHIAVyNVk0g6ELJyMPgibUrL5hX8', /scrypt of N=2 /],
    ['$argon2id$v=19$m=8,t=1,p=1$', 'c29tZXNhbHQ$dGFndGFndGFndGFn', /Argon2 with m=8, t=1 /],
    [
      '$firescrypt$ln=1,r=8,p=1$',
      `42xEC+ixf3L2lw==$F6lgfOnU/kcEi9x32N6c79LU6iccneFQkXDzzrDmUGcbs8vJC99GAmD/IIkuzM8a9V6tYl1HhLbWTkgc/cOBQg==$Bw==$${signer}`,
      /scrypt of N=2 /,
    ],
  ])(
    '%s: an import refuses a hash that protects nothing, and one that is stored still signs in',
    (prefix, rest, reason) => {
      const schema = importedUser({ pepperIds: [], roles: ['user'], now: Date.now() });
      const { error } = schema.safeParse({ username: 'ann', password_hash: prefix + rest });
      expect(error?.issues).toMatchObject([{ path: ['password_hash'], message: expect.stringMatching(reason) }]);
      expect(JSON.stringify(error)).not.toContain(rest);
      expect(readForeignHash(prefix + rest, nodeLimits)).toHaveProperty('matches');
    },
  );

  it('an import for Workers takes bcrypt up to cost 12, and Workers still verify cost 14', () => {
    expect(readForeignHash(`$2b$13$${parts}`, workersImportLimits)).toMatchObject({
      refused: expect.stringContaining('cost 13'),
    });
    expect(readForeignHash(`$2b$14$${parts}`, workersLimits)).not.toHaveProperty('refused');
  });
});
