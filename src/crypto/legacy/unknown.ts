/** Hashes that people have and that are verified nowhere here, each with the reason. */
const known: readonly (readonly [RegExp, string])[] = [
  [/^[!*]/, 'Marks an account without a password. Leave out the field'],
  [/^\{(?:S?SHA\d*|S?MD5|CLEARTEXT|noop)\}/i, 'A digest without a cost (LDAP), which protects no password'],
  [/^(?:un)?(?:salted_)?(?:md5|sha1|sha256|sha512)\$/i, 'A digest without a cost, which protects no password'],
  [
    /^[0-9a-f]{32}$|^[0-9a-f]{40}$|^[0-9a-f]{64}$|^[0-9a-f]{128}$/i,
    'A digest without a cost, which protects no password',
  ],
  [/^\$1\$|^\$apr1\$/, 'md5crypt is not supported'],
  [/^\$5\$|^\$6\$/, 'sha-crypt ($5$, $6$) is not supported'],
  [/^\$7\$|^\$g?y\$/, 'yescrypt and scrypt of crypt ($7$, $y$) are not supported'],
  [/^\$S\$/, 'The SHA-512 hashes of Drupal 7 ($S$) are not supported'],
  [/^\{(?:pbkdf2|scrypt)(?:@\w+)?\}/i, "Spring Security's own encoding is not supported"],
];

/** Why a string that no scheme reads cannot be verified. */
export function reasonForUnknown(text: string): string {
  const found = known.find(([pattern]) => pattern.test(text));
  return found?.[1] ?? 'Not a supported kind of hash';
}
