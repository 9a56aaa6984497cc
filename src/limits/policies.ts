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
  /** One account from one address: what a person who mistypes needs. */
  login_account_address: { limit: 10, window: 60 },
  /** One account from everywhere. Wide, so that one address alone cannot keep its owner out. */
  login_account: { limit: 100, window: 60 },
  /** Passwords that a signed-in user proves again: whoever holds a stolen access token must not guess them. */
  password_user: { limit: 20, window: 3600 },
  /** Requests that lead to a mail, by where they come from and by whom the mail is for. */
  mail_address: { limit: 30, window: 3600 },
  mail_account: { limit: 6, window: 3600 },
  /** Links and codes that are shown. A code can be tried ten times in any case. */
  proof_address: { limit: 60, window: 60 },
  code_account: { limit: 60, window: 3600 },
  refresh_session: { limit: 60, window: 60 },
  /** Other services ask for every request of theirs: counted by the session whose token they show. */
  verify_session: { limit: 6000, window: 60 },
  read_user: { limit: 600, window: 60 },
  write_user: { limit: 30, window: 60 },
  /** Reads all there is about somebody. */
  export_user: { limit: 10, window: 3600 },
} satisfies Record<string, Policy>;

export type PolicyName = keyof typeof policies;
export type PolicyTable = Record<PolicyName, Policy>;

const isPolicyName = (name: string): name is PolicyName => name in policies;
export const policyNames: readonly PolicyName[] = Object.keys(policies).filter(isPolicyName);

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
