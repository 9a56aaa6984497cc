import * as z from 'zod';

/** `limit` requests in a sliding window of `window` seconds. */
export interface Policy {
  readonly limit: number;
  readonly window: number;
}

/**
 * Every limit of the service. Each can be set by a variable: `login_address` by `LIMIT_LOGIN_ADDRESS=30/60`.
 * Those by address allow for many people behind one address; those by account are what one person needs.
 */
export const policies = {
  register_address: { limit: 30, window: 3600 },
  login_address: { limit: 60, window: 60 },
  /** A device that has signed in before, instead of its address: strangers behind it shall not use up its limit. */
  login_device: { limit: 30, window: 60 },
  /** All such devices of one address together: whoever signs in often gets a new one each time. */
  login_known_address: { limit: 300, window: 60 },
  /** Failed sign-ins of the whole service. Refuses nobody: more of them are logged as an alarm. */
  login_failures: { limit: 1000, window: 60 },
  /** Passwords that a signed-in user proves again: whoever holds a stolen access token must not guess them. */
  password_user: { limit: 20, window: 3600 },
  /** Requests that lead to a mail, by where they come from and by whom the mail is for. */
  mail_address: { limit: 30, window: 3600 },
  mail_account: { limit: 6, window: 3600 },
  /** Links and codes that are shown. A code can be tried ten times in any case. */
  proof_address: { limit: 60, window: 60 },
  code_account: { limit: 60, window: 3600 },
  /** Each ends a session by a statement. So many that nobody who shares an address is kept from signing out. */
  logout_address: { limit: 600, window: 60 },
  refresh_session: { limit: 60, window: 60 },
  /** Other services ask for every request of theirs: counted by the session whose token they show. */
  verify_session: { limit: 6000, window: 60 },
  read_user: { limit: 600, window: 60 },
  write_user: { limit: 30, window: 60 },
  /** Reads all there is about somebody. */
  export_user: { limit: 10, window: 3600 },
  /** The description of the API: some requests for each page that somebody opens. */
  docs_address: { limit: 120, window: 60 },
  /** `/readyz` asks the database. Probes of one machine ask for all that runs there. */
  readyz_address: { limit: 6000, window: 60 },
  /** Each endpoint of an older API whose documents promise this, by the address, besides the limits of the operation. */
  compat_endpoint: { limit: 100, window: 60 },
} satisfies Record<string, Policy>;

export type PolicyName = keyof typeof policies;

/** Count what others did for the same address too: what is left of them is for nobody to see. */
export const untoldPolicies: ReadonlySet<PolicyName> = new Set(['mail_account', 'code_account']);
export type PolicyTable = Record<PolicyName, Policy>;

const isPolicyName = (name: string): name is PolicyName => name in policies;
export const policyNames: readonly PolicyName[] = Object.keys(policies).filter(isPolicyName);

/** So many failures lock for `pause`, and each further one for twice as long: all durations in seconds. */
export interface Lockout {
  readonly failures: number;
  readonly pause: number;
  readonly longestPause: number;
  /** So long after the first failure all are forgotten, though never while it is locked. */
  readonly memory: number;
}

/**
 * What failed sign-ins lock. Each can be set by a variable of its name: `LOCKOUT_ACCOUNT=100/3600/3600/3600`.
 * The locks of an account hold for accounts that do not exist as well.
 */
export const lockouts = {
  /** One account from one address: what a person who mistypes needs. */
  lockout_account_address: { failures: 5, pause: 60, longestPause: 3600, memory: 86_400 },
  /** One account from all unknown devices together, however many addresses they have. */
  lockout_account: { failures: 100, pause: 3600, longestPause: 3600, memory: 3600 },
  /** One device that signed in to the account before. */
  lockout_device: { failures: 5, pause: 60, longestPause: 3600, memory: 86_400 },
  /** All such devices of an account together: whoever had the password once may have any number of them. */
  lockout_account_devices: { failures: 20, pause: 60, longestPause: 3600, memory: 86_400 },
} satisfies Record<string, Lockout>;

export type LockoutName = keyof typeof lockouts;
export type LockoutTable = Record<LockoutName, Lockout>;

const isLockoutName = (name: string): name is LockoutName => name in lockouts;
export const lockoutNames: readonly LockoutName[] = Object.keys(lockouts).filter(isLockoutName);

/** `5/60/3600/86400` is 5 failures, a pause of 60 s that grows to 3600 s, and 86400 s until they are forgotten. */
export const lockoutText = z
  .string()
  .regex(
    /^[1-9]\d{0,6}(?:\/[1-9]\d{0,6}){3}$/,
    'Expected "<failures>/<pause>/<longest pause>/<memory>" in seconds, for example "5/60/3600/86400"',
  )
  .transform((text) => {
    const [failures = 0, pause = 0, longestPause = 0, memory = 0] = text.split('/').map(Number);
    return { failures, pause, longestPause, memory };
  });

/** The table with those lockouts that the operator has set. */
export function overrideLockouts(override: (name: LockoutName) => Lockout | undefined): LockoutTable {
  const table: LockoutTable = { ...lockouts };
  for (const name of lockoutNames) table[name] = override(name) ?? lockouts[name];
  return table;
}

/** `30/60` is 30 requests in 60 seconds. */
export const policyText = z
  .string()
  .regex(/^[1-9]\d{0,6}\/[1-9]\d{0,6}$/, 'Expected "<requests>/<seconds>", for example "30/60"')
  .transform((text) => {
    const [limit = 0, window = 0] = text.split('/').map(Number);
    return { limit, window };
  });

/** The table with those limits that the operator has set. */
export function overridePolicies(override: (name: PolicyName) => Policy | undefined): PolicyTable {
  const table = { ...policies };
  for (const name of policyNames) table[name] = override(name) ?? policies[name];
  return table;
}
