import { howFar } from './edit-distance.ts';

/** A variable that is set, looks like one of ours and is none. */
export interface Misspelt {
  readonly name: string;
  /** The variable that was meant, where one is likely. */
  readonly meant: string | undefined;
  /** What to do, in a sentence. */
  readonly advice: string;
}

/** All variables that begin so are ours. Others (`OTEL_`, `DATABASE_`, `REDIS_`) belong to platforms and libraries too. */
const families = [
  ...['ACCESS_TOKEN_', 'ARGON2_', 'AUTH_SECRET', 'BREACHED_PASSWORD_', 'COMPAT_', 'CORS_', 'EVENTS_', 'LINK_', 'MAIL_'],
  ...['METRICS_', 'PASSWORD_', 'RABBITMQ_', 'REFRESH_', 'RESEND_', 'SESSION_', 'SIGNING_KEY_', 'SMTP_', 'TRUSTED_'],
  ...['UPSTASH_', 'WEBHOOK'],
];

/** What desktops and images set, and what Kubernetes sets for a service called `smtp`: `SMTP_PORT_25_TCP_ADDR`. */
const ofOthers =
  /^(?:SESSION_MANAGER|RABBITMQ_DEFAULT_\w+)$|_SERVICE_(?:HOST|PORT)(?:_\w+)?$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/;
const isOfOthers = (name: string, value: string) =>
  ofOthers.test(name) || (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):/.test(value));

const suffix = '_FILE';
const listed = 6;

/**
 * Finds variables that are set and that nothing reads, because their names are not quite those of ours.
 * @param set variables that are set, by name
 * @param known names that are read
 * @param suggested names that may have been meant; `<NAME>_FILE` goes with each
 */
export function misspeltNames(
  set: Readonly<Record<string, string>>,
  known: ReadonlySet<string>,
  suggested: readonly string[],
): Misspelt[] {
  return Object.entries(set).flatMap(([name, value]): Misspelt[] => {
    const isFile = name.endsWith(suffix);
    const bare = isFile ? name.slice(0, -suffix.length) : name;
    if (known.has(name) || known.has(bare) || isOfOthers(name, value)) return [];
    const family = families.find((each) => bare.startsWith(each));
    const meant = nearest(bare, family, suggested);
    if (meant === undefined && family === undefined) return [];
    if (meant === undefined) return [{ name, meant, advice: listOf(family ?? '', suggested) }];
    const full = isFile ? meant + suffix : meant;
    return [{ name, meant: full, advice: `Did you mean ${full}?` }];
  });
}

/** The name that was meant: a slip of the fingers away, or the same with something behind it. */
function nearest(name: string, family: string | undefined, suggested: readonly string[]): string | undefined {
  const slip = slipOf(name, suggested);
  if (slip !== undefined || family === undefined) return slip;
  const kin = suggested.filter((each) => each.startsWith(family));
  const [longer, ...others] = kin.filter((each) => each.startsWith(name) || name.startsWith(each));
  if (longer !== undefined && others.length === 0) return longer;
  return kin.length === 1 ? kin[0] : undefined;
}

/** The name that is a slip of the fingers away. */
export function slipOf(name: string, suggested: readonly string[]): string | undefined {
  const [first] = suggested
    .map((each) => ({ each, far: howFar(name, each) }))
    .filter(({ each, far }) => isSlip(name, each, far))
    .toSorted((a, b) => a.far - b.far);
  return first?.each;
}

/** Short names have many neighbours that are words of their own (`HOME`, `API_URL`): there only a letter too few or too many counts. */
function isSlip(name: string, other: string, far: number): boolean {
  return other.length < 8 ? far === 1 && name.length !== other.length : far <= 2;
}

function listOf(family: string, suggested: readonly string[]): string {
  const kin = suggested.filter((each) => each.startsWith(family));
  const shown = kin.slice(0, listed).join(', ');
  return `The service does not read it. Variables of this kind are ${shown}${kin.length > listed ? ', …' : ''}`;
}
