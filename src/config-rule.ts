import type { Variables } from './config-variables.ts';

/** Says that a variable is missing, and why an older one could not stand for it. */
export type Required = (name: string) => string;

/** Those of the variables that are known to be well-formed. */
export type Known = { readonly [Name in keyof Variables]?: Variables[Name] | undefined };

/** What variables must fulfil together. */
export interface Rule {
  /** @param invalid names of variables that are wrong by themselves: a rule that needs one of them is not asked */
  problems(values: Known, invalid: ReadonlySet<string>, required: Required): readonly string[];
}

/**
 * A rule about variables that depend on each other.
 * @param needs every variable that `wrong` reads
 * @param wrong gives `NAME: the problem`, or undefined where there is none
 */
export function rule<Name extends keyof Variables>(
  needs: readonly Name[],
  wrong: (values: Pick<Variables, Name>, required: Required) => string | readonly string[] | undefined,
): Rule {
  return {
    problems(values, invalid, required) {
      const areValid = (_: Known): _ is Variables => needs.every((name) => !invalid.has(name));
      return areValid(values) ? [wrong(values, required) ?? []].flat() : [];
    },
  };
}
