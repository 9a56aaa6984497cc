import { type PolicyTable, untoldPolicies } from '../limits/policies.ts';
import type { Contract } from './contract.ts';

/** Whether its answers tell in `RateLimit-*` headers what is left. */
export const isTold = ({ limits = [] }: Pick<Contract, 'limits'>): boolean =>
  limits.some((name) => !untoldPolicies.has(name));

/** What an endpoint can count against, with the numbers that are in force: for people and for programs. */
export function describeLimits({ limits = [] }: Pick<Contract, 'limits'>, table: PolicyTable) {
  const known = limits.map((name) => ({ policy: name, ...table[name] }));
  if (known.length === 0) return { sentences: [], extension: {} };
  const listed = known.map(({ policy, limit, window }) => `\`${policy}\` ${limit} in ${window} s`);
  return {
    sentences: [`Limits: ${listed.join(', ')}.`],
    extension: { 'x-rate-limits': known },
  };
}
