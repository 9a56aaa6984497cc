import { parseArgs } from 'node:util';
import { listSigningKeys, retireSigningKey, rotateSigningKeys } from '../tokens/key-changes.ts';
import { jwksMaxAge, keyCacheTtl } from '../tokens/signing-key-state.ts';
import { openDeps } from './deps.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `--help` says. */
export const rotateKeysUsage = `Usage: npm run cli -- rotate-keys [--now] [--list] [--neon]
  Publishes the next signing key. It signs after SIGNING_KEY_LEAD, when every verifier knows it.
  --now   lets it sign at once; verifiers that see an unknown key read the JWKS again
  --list  prints the signing keys, and changes nothing
  --neon  use Neon's HTTP endpoint, as a Worker does, instead of a TCP connection`;

/** What `--help` says. */
export const retireKeyUsage = `Usage: npm run cli -- retire-key <kid> [--neon]
  Removes a signing key for good, for example after it leaked. The key leaves the JWKS, and the service refuses its tokens.
  "npm run cli -- rotate-keys --list" prints the keys; the header of a token names its key as "kid".
  --neon  use Neon's HTTP endpoint, as a Worker does, instead of a TCP connection`;

const neon = { type: 'boolean', default: false } as const;
const flag = { type: 'boolean', default: false } as const;

/** `rotate-keys`: publishes the next signing key. @returns the lines to print */
export async function rotateKeysCommand(argv: readonly string[], environment: Environment): Promise<string[]> {
  const { values } = parseArgs({ args: [...argv], options: { now: flag, list: flag, neon } });
  const { deps, close } = await openDeps(environment, values.neon);
  try {
    if (values.list) {
      return (await listSigningKeys(deps)).map(
        ({ kid, state, signsFrom, opens }) =>
          `${kid}  ${state.padEnd(17)}  signs from ${signsFrom.toISOString()}${opens ? '' : '  (opens with no configured secret)'}`,
      );
    }
    const { kid, signsFrom, isNew } = await rotateSigningKeys(deps, values.now);
    const when = values.now ? 'signs from now on' : `signs from ${new Date(signsFrom).toISOString()}`;
    return [isNew ? `Key ${kid} is published and ${when}` : `Key ${kid} is published already and ${when}`];
  } finally {
    await close();
  }
}

/** Whether it is the thumbprint of a key in base64url, which may begin with a dash like an option. */
const isThumbprint = (argument: string) => /^[\w-]{43}$/.test(argument);

/** `retire-key`: removes a signing key for good. @returns the lines to print */
export async function retireKeyCommand(argv: readonly string[], environment: Environment): Promise<string[]> {
  const args = argv.filter((argument) => !isThumbprint(argument));
  const { values, positionals } = parseArgs({ args, options: { neon }, allowPositionals: true });
  const [kid, ...others] = [...argv.filter(isThumbprint), ...positionals];
  if (kid === undefined || others.length > 0) throw new Error(retireKeyUsage);
  const { deps, close } = await openDeps(environment, values.neon);
  try {
    const retired = await retireSigningKey(deps, kid);
    if (retired === undefined)
      throw new Error('No signing key has this name. List them: npm run cli -- rotate-keys --list');
    const { signingKeyLead } = deps.config;
    return [
      ...(retired.replacement === undefined ? [] : [`Key ${retired.replacement} is published and signs from now on`]),
      `Key ${kid} is retired. The service refuses its tokens within ${keyCacheTtl(signingKeyLead)} s, and at once after a restart`,
      `Services that verify tokens themselves may keep the JWKS for ${jwksMaxAge(signingKeyLead)} s: restart them to be sure`,
    ];
  } finally {
    await close();
  }
}
