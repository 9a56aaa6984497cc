import type { Argon2Input } from '../../src/crypto/argon2.ts';

const encoder = new TextEncoder();

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const passwords = new Map([
  ['password', 'password'],
  ['cyrillic', 'пароль'],
  ['cut', 'парXXX'],
  ['empty', ''],
  ['nullThenB', 'a\0b'],
  ['nullThenC', 'a\0c'],
  ['keys', '🔑'.repeat(256)],
]);

// Type, version, memory, iterations and lanes, password, salt, tag.
// From `src/test.c` of the reference implementation (github.com/P-H-C/phc-winner-argon2):
const published = `
argon2i 0x10 256,2,1 password somesalt fd4dd83d762c49bdeaf57c47bdcd0c2f1babf863fdeb490df63ede9975fccf06
argon2i 0x10 256,2,2 password somesalt b6c11560a6a9d61eac706b79a2f97d68b4463aa3ad87e00c07e2b01e90c564fb
argon2i 0x10 65536,2,1 password somesalt f6c4db4a54e2a370627aff3db6176b94a2a209a62c8e36152711802f7b30c694
argon2i 0x13 256,2,1 password somesalt 89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f
argon2i 0x13 256,2,2 password somesalt 4ff5ce2769a1d7f4c8a491df09d41a9fbe90e5eb02155a13e4c01e20cd4eab61
argon2i 0x13 65536,2,1 password somesalt c1628832147d9720c5bd1cfd61367078729f6dfb6f8fea9ff98158e0d7816ed0
argon2id 0x13 256,2,1 password somesalt 9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe
argon2id 0x13 256,2,2 password somesalt 6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037
argon2id 0x13 65536,2,1 password somesalt 09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7
argon2id 0x13 65536,4,1 password somesalt 9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c
`;
// Computed with its `src/ref.c`:
const computed = `
argon2id 0x13 256,2,1 cyrillic somesaltsomesalt 0fd866fce1b0bb1eb7003bb03dfdbd1aff9a5196fb1c183df83159c8a4af9c22
argon2id 0x13 256,2,1 cut somesaltsomesalt 2a3feb3411186181ca3843e979ad6522b736f280eadd406a21e7c76741eaa135
argon2id 0x13 256,2,1 empty somesaltsomesalt 8955a1e35000bf5be4128e744f99565a51fe389b61d8238f04c59bb6345f2026
argon2id 0x13 256,2,1 nullThenB somesaltsomesalt 78d54e6505f5341daef58be95b0b2770f8852412ee2ee770dcdfd78511725c8d
argon2id 0x13 256,2,1 nullThenC somesaltsomesalt 0751b1cc9095f521dd59bb35ec0cd00f6f12bb1aa1ae0fb2f5a73393808cfe6a
argon2id 0x13 256,2,1 keys somesaltsomesalt ef4c884ecdb52eece0acb0ae8aebdf8080624b8f918427eacadd6706fd0c1ee8
argon2id 0x13 19456,2,1 cyrillic somesaltsomesalt 0b91ad616e809f82a7d7c0b34645cb755c3e21546516ac9a660f11067b9438b6
argon2id 0x13 19456,2,1 empty somesaltsomesalt b19e3cdd56c82283b09de3bc66c2245e1d9b5c33c356765d57872ed2929b33c2
argon2id 0x13 19456,2,1 keys somesaltsomesalt 0ed390d5f05ae03ba1c308f3682c2e1be8417da8ad626db2c933a559f1174daa
argon2i 0x10 64,3,4 cyrillic somesaltsomesalt 0788442386df4e915b029497eae7619224d26c6460a6560c807164521f7f996375b4d93ef2a5c63efae90da8f87952d89c29b345dd3c366f20118f377ac19a4f
argon2d 0x13 64,3,4 cyrillic somesaltsomesalt b2bdc4750bd7aee48345a0249a9418db
argon2d 0x10 64,3,4 cyrillic somesaltsomesalt 46bedc322df85474b18c873dff6caec8
`;

export const vectors = [...published.trim().split('\n'), ...computed.trim().split('\n')].map((line) => {
  const [type, version, cost = '', name = '', salt = '', tag = ''] = line.split(' ');
  const [memory = 0, iterations = 0, parallelism = 0] = cost.split(',').map(Number);
  const input: Argon2Input = {
    type: type === 'argon2d' || type === 'argon2i' ? type : 'argon2id',
    version: version === '0x10' ? 0x10 : 0x13,
    password: encoder.encode(passwords.get(name)),
    salt: encoder.encode(salt),
    memory,
    iterations,
    parallelism,
    tagLength: tag.length / 2,
  };
  return { name: `${type} ${version} ${cost} ${name}, ${input.tagLength} bytes`, tag, input };
});

/** The least Argon2 does, for tests of what is around it. */
export const smallest: Argon2Input = {
  type: 'argon2id',
  version: 0x13,
  password: encoder.encode('password'),
  salt: encoder.encode('somesalt'),
  memory: 8,
  iterations: 1,
  parallelism: 1,
  tagLength: 32,
};

/** What no adapter may hash. */
export const refused: readonly (readonly [name: string, change: Partial<Argon2Input>])[] = [
  ['more than 64 MiB', { memory: 65_537 }],
  ['less than 8 KiB a lane', { memory: 15, parallelism: 2 }],
  ['a fraction of memory', { memory: 8.5 }],
  ['no memory', { memory: Number.NaN }],
  ['17 iterations', { iterations: 17 }],
  ['no iteration', { iterations: 0 }],
  ['too much work', { memory: 65_536, iterations: 9 }],
  ['17 lanes', { memory: 256, parallelism: 17 }],
  ['no lane', { parallelism: 0 }],
  ['a salt of 7 bytes', { salt: new Uint8Array(7) }],
  ['a salt of 65 bytes', { salt: new Uint8Array(65) }],
  ['a tag of 11 bytes', { tagLength: 11 }],
  ['a tag of 65 bytes', { tagLength: 65 }],
  ['a password of 2 KiB and a byte', { password: new Uint8Array(2_049) }],
];
