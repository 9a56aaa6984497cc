import * as z from 'zod';
import { slipOf } from './config-names.ts';
import {
  type LockoutName,
  lockoutNames,
  lockoutText,
  type PolicyName,
  policyNames,
  policyText,
} from './limits/policies.ts';

export const limitVariable = (name: PolicyName) => `LIMIT_${name.toUpperCase()}`;
export const limitVariables = z.object(
  Object.fromEntries(policyNames.map((name) => [limitVariable(name), policyText.optional()])),
);

export const lockoutVariable = (name: LockoutName) => name.toUpperCase();
export const lockoutVariables = z.object(
  Object.fromEntries(lockoutNames.map((name) => [lockoutVariable(name), lockoutText.optional()])),
);

/** Whether it names a limit, or looks so. */
export const isLimitName = (name: string) => /^(?:LIMIT|LOCKOUT)_/.test(name);

const known: ReadonlySet<string> = new Set(
  [limitVariables, lockoutVariables].flatMap(({ shape }) => Object.keys(shape)),
);

/** What is wrong about names that look like those of limits: a misspelt one would leave the limit as it was. */
export const unknownLimits = (set: Readonly<Record<string, string>>): string[] =>
  Object.keys(set)
    .filter((name) => isLimitName(name) && !known.has(name) && !known.has(name.replace(/_FILE$/, '')))
    .map((name) => {
      const meant = slipOf(name.replace(/_FILE$/, ''), [...known]);
      return `${name}: no limit has this name${meant === undefined ? '' : `. Did you mean ${meant}?`}`;
    });
