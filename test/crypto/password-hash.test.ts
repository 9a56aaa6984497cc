import { describe, expect, test } from 'vitest';
import { runtime } from '#test-runtime';
import type { Argon2Input } from '../../src/crypto/argon2.ts';
import { createPasswordHasher, type PasswordParameters, type Pepper } from '../../src/crypto/password-hash.ts';

const quick: PasswordParameters = { memory: 64, iterations: 1, parallelism: 1 };
const yes = { valid: true, needsUpgrade: false };
const upgrade = { valid: true, needsUpgrade: true };
const no = { valid: false, needsUpgrade: false };

async function pepper(id: string, fill: number): Promise<Pepper> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', new Uint8Array(32).fill(fill), algorithm, false, ['sign']);
  return { id, key };
}

const first = await pepper('first__-', 1);
const second = await pepper('second', 2);
const { hashing } = runtime;
const { argon2 } = hashing;

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('=', '');
}

/** A hasher, and what it asked of Argon2. */
function counting(peppers: readonly Pepper[] = [first], parameters: PasswordParameters = quick) {
  const inputs: Argon2Input[] = [];
  const hasher = createPasswordHasher({
    peppers,
    parameters,
    hashing: {
      ...hashing,
      argon2: (input) => {
        inputs.push(input);
        return argon2(input);
      },
    },
  });
  return { ...hasher, inputs };
}

const hasher = counting();

describe('hashing', () => {
  test('stores argon2id at the parameters of OWASP, with the id of the pepper, salted', async () => {
    const { hash, verify } = createPasswordHasher({ hashing, peppers: [first] });
    const stored = await hash('correct horse');
    expect(stored).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1,keyid=first\/\/\+\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
    expect(await hash('correct horse')).not.toBe(stored);
    expect(await verify('correct horse', stored)).toEqual(yes);
    expect(await verify('correct horsf', stored)).toEqual(no);
  });

  const keys = '🔑'.repeat(255);
  test.each([
    ['letters outside of ASCII', 'пароль', 'парXXX'],
    ['letters outside of ASCII, cut short', 'пароль', 'пароль'.slice(0, 3)],
    ['the empty password', '', '\0'],
    ['a null byte', 'a\0b', 'a\0c'],
    ['a null byte at the end', 'a', 'a\0'],
    ['256 code points', `${keys}🔑`, `${keys}🔒`],
    ['letter case', 'Password', 'password'],
    ['spaces', ' password ', 'password'],
  ])('tells passwords apart by %s', async (_, password, other) => {
    const stored = await hasher.hash(password);
    expect(await hasher.verify(password, stored)).toEqual(yes);
    expect(await hasher.verify(other, stored)).toEqual(no);
  });

  test('the same password typed on another keyboard is the same', async () => {
    const syllables = '한'.repeat(170);
    expect(await hasher.verify(syllables.normalize('NFD'), await hasher.hash(syllables))).toEqual(yes);
    expect(await hasher.verify(syllables, await hasher.hash(syllables.normalize('NFD')))).toEqual(yes);
    expect(await hasher.verify('Ångström ﬁ', await hasher.hash('A\u030angstro\u0308m fi'))).toEqual(yes);
  });

  test.each([
    ['more than 2048 bytes', 'ж'.repeat(1_025)],
    ['few characters and a normal form of more than 2048 bytes', '\ufdfa'.repeat(63)],
    ['a megabyte', 'x'.repeat(2 ** 20)],
    ['a lone surrogate', 'password\ud800'],
  ])('refuses a password of %s without hashing', async (_, password) => {
    const { hash, verify, inputs } = counting();
    await expect(hash(password)).rejects.toThrow(RangeError);
    expect(await verify(password, null)).toEqual(no);
    expect(await verify(password, await hasher.hash('password\ufffd'))).toEqual(no);
    expect(inputs).toHaveLength(0);
  });

  test('does not hash for a client who has gone', async () => {
    const gone = AbortSignal.abort(new Error('gone'));
    const stored = [null, await hasher.hash('x'), '$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm'];
    await expect(hasher.hash('x', gone)).rejects.toMatchObject({ name: 'NobodyWaits' });
    for (const one of stored)
      await expect(hasher.verify('x', one, gone)).rejects.toMatchObject({ name: 'NobodyWaits' });
  });
});

describe('peppers and parameters', () => {
  test('a new pepper verifies what the old one made, and wants an upgrade', async () => {
    const stored = await hasher.hash('password');
    const rotated = counting([second, first]);
    expect(await rotated.verify('password', stored)).toEqual(upgrade);
    expect(await rotated.verify('passwore', stored)).toEqual(no);
    const upgraded = await rotated.hash('password');
    expect(upgraded).toContain(',keyid=second$');
    expect(await rotated.verify('password', upgraded)).toEqual(yes);
  });

  test('a pepper that was removed, replaced or left out of the string does not verify', async () => {
    const stored = await hasher.hash('password');
    const impostor = await pepper(first.id, 9);
    expect(await counting([second]).verify('password', stored)).toEqual(no);
    expect(await counting([impostor]).verify('password', stored)).toEqual(no);
    expect(await counting([second, first]).verify('password', stored.replace('first//+', 'second'))).toEqual(no);
    expect(await hasher.verify('password', stored.replace(',keyid=first//+', ''))).toEqual(no);
  });

  test.each([
    ['more memory', { ...quick, memory: 72 }],
    ['less memory', { ...quick, memory: 56 }],
    ['more iterations', { ...quick, iterations: 2 }],
    ['more lanes', { ...quick, parallelism: 2 }],
  ])('%s than when the hash was made want an upgrade', async (_, parameters) => {
    const stored = await hasher.hash('password');
    expect(await counting([first], parameters).verify('password', stored)).toEqual(upgrade);
  });

  test('a hash of ours with a shorter salt wants an upgrade', async () => {
    const [password, salt] = [new TextEncoder().encode('password'), new TextEncoder().encode('somesalt')];
    const tag = await argon2({ ...quick, type: 'argon2id', version: 0x13, password, salt, tagLength: 32 });
    const peppered = base64(new Uint8Array(await crypto.subtle.sign('HMAC', first.key, tag)));
    const stored = `$argon2id$v=19$m=64,t=1,p=1,keyid=first//+$c29tZXNhbHQ$${peppered}`;
    expect(await hasher.verify('password', stored)).toEqual(upgrade);
  });

  test('a configuration that cannot hash is refused at once', async () => {
    expect(() => counting([])).toThrow(RangeError);
    expect(() => counting([first, first])).toThrow(RangeError);
    expect(() => counting([{ ...first, id: 'a$b' }])).toThrow(RangeError);
    expect(() => counting([{ ...first, id: 'longer-than-8' }])).toThrow(RangeError);
    expect(() => counting([first], { ...quick, memory: 100_000 })).toThrow(RangeError);
  });
});

describe('cost', () => {
  const costs = (inputs: readonly Argon2Input[]) =>
    inputs.map(({ type, memory, iterations, parallelism, tagLength, salt }) =>
      [type, memory, iterations, parallelism, tagLength, salt.length].join(),
    );

  test('an unknown user, a wrong password and a right one cost the same', async () => {
    const stored = await hasher.hash('password');
    const { verify, inputs } = counting();
    expect(await verify('password', null)).toEqual(no);
    expect(await verify('passwore', stored)).toEqual(no);
    expect(await verify('password', stored)).toEqual(yes);
    expect(costs(inputs)).toEqual(Array(3).fill('argon2id,64,1,1,32,16'));
  });

  test('an imported hash costs one comparison, of what was typed, or of its NFKC where the hash says so', async () => {
    const imported = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
    const { verify, inputs } = counting();
    for (const [typed, stored, wanted] of [
      ['passwore', imported, no],
      ['password', imported, upgrade],
      ['ｐassword', imported, no],
      ['ｐassword', `nfkc:${imported}`, upgrade],
      ['password', `nfkc:${imported}`, upgrade],
      ['ｐasswore', `nfkc:${imported}`, no],
    ] as const) {
      expect([typed, stored, await verify(typed, stored)]).toEqual([typed, stored, wanted]);
      expect(inputs.splice(0)).toHaveLength(1);
    }
  });
});

describe('imported hashes', () => {
  const long = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  test.each([
    // src/test.c of the reference implementation of Argon2, then its src/ref.c
    ['password', '$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY'],
    ['password', '$argon2i$v=16$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs'],
    ['password', '$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E'],
    ['password', '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'],
    ['password', '$argon2id$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$kCXUjmjvc5XMqQedpMTsOv+zyJEf5PhtGiUghW9jFyw'],
    ['пароль', '$argon2d$v=19$m=64,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$sr3EdQvXruSDRaAkmpQY2w'],
    // wrapper.c of crypt_blowfish, test_bcrypt.py of pyca/bcrypt, and libxcrypt
    ['U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
    ['', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy'],
    ['Kk4DQuMMfZL9o', '$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm'],
    [long, '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui'],
    ['пароль', '$2a$05$abcdefghijklmnopqrstuuzNhjJbiIwqABDRBuv89/6Oj5r2.TjxC'],
    ['пароль', '$2b$05$abcdefghijklmnopqrstuuzNhjJbiIwqABDRBuv89/6Oj5r2.TjxC'],
    ['пароль', '$2y$05$abcdefghijklmnopqrstuuzNhjJbiIwqABDRBuv89/6Oj5r2.TjxC'],
    // RFC 7914 section 12, passlib's documentation, and OpenSSL up to the bounds
    [
      'pleaseletmein',
      '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw',
    ],
    ['password', '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'],
    ['пароль', '$scrypt$ln=10,r=8,p=1$U29kaXVtQ2hsb3JpZGU$geW90bpVjmKj1eZ0g6UXIQ7l60h4J7OgaLWZPY44At0'],
    ['password', '$scrypt$ln=17,r=8,p=1$U29kaXVtQ2hsb3JpZGU$eps1MZZpp0K//MYD4MV/jgyNJcv6YFxyUjNoA5AKr18'],
    ['password', '$scrypt$ln=10,r=32,p=16$U29kaXVtQ2hsb3JpZGU$vDtkl7C5XfMiOjkBY8HcMOdD77w6UcbQc7PNP1X9jwQ'],
  ])('%j verifies against %s, and wants an upgrade', async (password, stored) => {
    expect(await hasher.verify(password, stored)).toEqual(upgrade);
    expect(await hasher.verify(`x${password}`, stored)).toEqual(no);
    // Of those that take a second each, one wrong password will do.
    const isCostly = /ln=1[67]|p=16/.test(stored);
    if (password !== '' && !isCostly) expect(await hasher.verify(password.slice(0, -1), stored)).toEqual(no);
  });

  test('a hash of what was typed verifies, though it is not normalised', async () => {
    // Argon2 of the bytes of `cafe` and a combining acute accent, without a pepper.
    const [password, salt] = [new TextEncoder().encode('cafe\u0301'), new TextEncoder().encode('somesalt')];
    const tag = await argon2({ ...quick, type: 'argon2id', version: 0x13, password, salt, tagLength: 32 });
    const stored = `$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$${base64(tag)}`;
    expect(await hasher.verify('cafe\u0301', stored)).toEqual(upgrade);
    expect(await hasher.verify('caf\u00e9', stored)).toEqual(no);
  });

  test('bcrypt reads 72 bytes: what lies past them is not compared, and is not stored anew either', async () => {
    const stored = '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui';
    expect(await hasher.verify(`${long}chars after 72 are ignored`, stored)).toEqual(yes);
    expect(await hasher.verify(long.slice(0, 71), stored)).toEqual(no);
  });

  test('bcrypt repeats a short password: a null byte does not make another one of it', async () => {
    const stored = '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a';
    expect(await hasher.verify('U*U*U\0U*U*U', stored)).toEqual(no);
  });
});

describe('what cannot be verified', () => {
  const salt = 'c29tZXNhbHRzb21lc2FsdA';
  const tag = 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  const bcrypt = '$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm';
  test.each([
    '',
    '$',
    'password',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    '$1$salt$hash',
    `argon2id$v=19$m=64,t=1,p=1$${salt}$${tag}`,
    ` $argon2id$v=19$m=64,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}$${tag}\n`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}$${tag}$`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}$`,
    `$argon2id$v=19$m=64,t=1,p=1$$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}=$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}$${tag}==`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}$${tag.slice(0, -1)}d`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt.slice(0, -1)}B$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}$${tag.slice(0, -2)}`,
    `$argon2id$v=19$m=64,t=1,p=1$c29tZXM$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1$${'A'.repeat(88)}$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}$CTFhFdXPJO0`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}$${'A'.repeat(88)}`,
    `$argon2id$v=19$m=64,t=1,p=1$${salt}$${'A'.repeat(100_000)}`,
    `$argon2id$v=18$m=64,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=019$m=64,t=1,p=1$${salt}$${tag}`,
    `$argon2$v=19$m=64,t=1,p=1$${salt}$${tag}`,
    `$Argon2id$v=19$m=64,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=064,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=+64,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=6.4e1,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=64,p=1,t=1$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=1$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1,m=64$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1,data=AAAA$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1,keyid=$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1,keyid=unknown$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=1,keyid=first//+$${salt}$sr3EdQvXruSDRaAkmpQY2w`,
    `$argon2id$v=19$m=0,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=7,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=15,t=1,p=2$${salt}$${tag}`,
    `$argon2id$v=19$m=131073,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=4294967360,t=1,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=0,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=17,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=4294967297,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=65536,t=16,p=1$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=0$${salt}$${tag}`,
    `$argon2id$v=19$m=64,t=1,p=17$${salt}$${tag}`,
    `$scrypt$ln=0,r=8,p=1$${salt}$${tag}`,
    `$scrypt$ln=18,r=8,p=1$${salt}$${tag}`,
    `$scrypt$ln=20,r=1,p=2$${salt}$${tag}`,
    `$scrypt$ln=4,r=33,p=1$${salt}$${tag}`,
    `$scrypt$ln=4,r=8,p=17$${salt}$${tag}`,
    `$scrypt$ln=63,r=1,p=1$${salt}$${tag}`,
    `$scrypt$ln=99,r=999999,p=999999$${salt}$${tag}`,
    `$scrypt$ln=14,r=8,p=9$${salt}$${tag}`,
    `$scrypt$ln=1,r=1,p=999999$${salt}$${tag}`,
    `$scrypt$ln=014,r=8,p=1$${salt}$${tag}`,
    `$scrypt$ln=4,r=8,p=1$AAAA$${tag}`,
    `$scrypt$ln=4,r=8,p=1$${salt}$AAAA`,
    `$scrypt$n=16384,r=8,p=1$${salt}$${tag}`,
    bcrypt.replace('$2b$', '$2x$'),
    bcrypt.replace('$2b$', '$2$'),
    bcrypt.replace('$04$', '$03$'),
    bcrypt.replace('$04$', '$15$'),
    bcrypt.replace('$04$', '$31$'),
    bcrypt.replace('$04$', '$4$'),
    bcrypt.slice(0, -1),
    `${bcrypt}m`,
    `${bcrypt}\n`,
  ])('%j is invalid, and costs one hash', async (stored) => {
    const { verify, inputs } = counting();
    expect(await verify('password', stored)).toEqual(no);
    expect(inputs.map(({ memory, iterations, parallelism }) => ({ memory, iterations, parallelism }))).toEqual([quick]);
  });

  test('a stored string with any one character changed, added or removed does not verify', async () => {
    const stored = await hasher.hash('password');
    for (let at = 0; at <= stored.length; at += 1) {
      for (const character of ['', 'A', '$', ',', '=', '0', '1', '\0', 'é']) {
        for (const rest of [stored.slice(at), stored.slice(at + 1)]) {
          const changed = stored.slice(0, at) + character + rest;
          if (changed !== stored) expect(await hasher.verify('password', changed), changed).toEqual(no);
        }
      }
    }
  });
});
