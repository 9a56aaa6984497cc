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
  login_account: { limit: 10, window: 60 },
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
