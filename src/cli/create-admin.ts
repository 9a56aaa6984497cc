import { parseArgs } from 'node:util';
import { normaliseEmail } from '../accounts/email.ts';
import { newPassword } from '../accounts/password.ts';
import { normaliseUsername } from '../accounts/username.ts';
import { createAdmin } from '../admin/create-admin.ts';
import { Problem } from '../errors.ts';
import { openDeps } from './deps.ts';
import { type Input, readPassword } from './password-prompt.ts';

/** What `--help` says. */
export const createAdminUsage = `Usage: npm run cli -- create-admin --email <address> [--username <name>] [--mail] [--neon]
  Type the password at the prompt, or pipe it in as one line.
  --mail  send an email with a link to choose a password instead
  To send events about the admin, set the same event variables as the service.
  --neon  use Neon's HTTP endpoint, as a Worker does, instead of a TCP connection`;

/** Of an account that was there and is given a password. */
const isGiven = (made: keyof typeof said) => made === 'claimed' || made === 'equipped';

const said = {
  created: (email: string) => `Admin ${email} created`,
  promoted: (email: string) => `${email} is now an admin. The account keeps its password`,
  claimed: (email: string) => `${email} is now an admin. Everyone who used the unconfirmed account was signed out`,
  equipped: (email: string) => `${email} is now an admin. The account had no password before`,
  unchanged: (email: string) => `${email} is already an admin. Nothing has changed`,
} as const;

const goesOut = 'An email to choose a password goes out within a minute';
const waits =
  'The email to choose a password waits, because no mail server is configured (set MAIL_FROM with RESEND_API_KEY or SMTP_HOST)';

/**
 * `create-admin`: makes the first admin, or one more.
 * @returns the line to print
 * @throws {Error} with a line to print that names what is wrong, and never a password
 */
export async function createAdminCommand(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  input: Input,
): Promise<string> {
  const { values } = read(argv);
  const email = normaliseEmail(values.email ?? '');
  const username = values.username === undefined ? null : normaliseUsername(values.username);
  if (email === undefined)
    throw new Error(
      values.email === undefined ? createAdminUsage : '--email: Enter an email address such as ann@example.com',
    );
  if (username === undefined) throw new Error('--username: Use 1 to 64 letters, digits, dots, hyphens or underscores');
  const { deps, close } = await openDeps(environment, values.neon);
  const askPassword = async () => {
    const password = await readPassword(input, process.stderr);
    const { error } = newPassword(deps.config).safeParse(password);
    if (error !== undefined) throw new Error(error.issues.map(({ message }) => `password: ${message}`).join('\n'));
    return password;
  };
  try {
    const made = await createAdmin(deps, {
      email,
      username,
      askPassword: values.mail ? async () => undefined : askPassword,
    });
    const isMailed = values.mail && (made === 'created' || isGiven(made));
    const done = said[made](email.address);
    if (isMailed) return `${done}. ${deps.config.mail === undefined ? waits : goesOut}`;
    return isGiven(made) ? `${done}. The new password is set` : done;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const faults = error.details.errors?.map(({ path, message }) => `${path}: ${message}`);
    throw new Error(faults?.join('\n') ?? error.message);
  } finally {
    await close();
  }
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        email: { type: 'string' },
        username: { type: 'string' },
        mail: { type: 'boolean', default: false },
        neon: { type: 'boolean', default: false },
      },
    });
  } catch {
    // Its own message shows what was typed, which may be a password.
    throw new Error(createAdminUsage);
  }
}
