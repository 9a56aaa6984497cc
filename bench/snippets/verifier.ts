import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { expect } from './expect.ts';
import { snippet, write } from './programs.ts';

const claims = z.object({ sub: z.string() });
const verifier = z.object({
  verify: z.custom<(token: string) => Promise<unknown>>((value) => typeof value === 'function'),
});

interface Tokens {
  readonly good: string;
  readonly subject: string;
  /** `Authorization` headers by what is wrong with them. */
  readonly bad: Readonly<Record<string, string | undefined>>;
}

/** Checks that the README's function returns the claims of a good token, and throws for each bad one. */
export async function checkVerifier(issuer: string, { good, subject, bad }: Tokens): Promise<void> {
  process.env['ISSUER'] = issuer;
  const path = write('verify.mjs', snippet('README.md', 'verify.mjs'));
  const { verify } = verifier.parse(await import(pathToFileURL(path).href));
  const { sub } = claims.parse(await verify(good));
  expect('verify.mjs returns the claims of a good token', sub === subject, sub);
  let refused = 0;
  for (const [what, authorization] of Object.entries(bad)) {
    if (!authorization?.startsWith('Bearer ')) continue;
    const isLetIn = await verify(authorization.slice('Bearer '.length)).then(
      () => true,
      () => false,
    );
    expect(`verify.mjs refuses: ${what}`, !isLetIn, isLetIn);
    refused += 1;
  }
  console.log(`verify.mjs: 1 token let in, ${refused} refused`);
}
