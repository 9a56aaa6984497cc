import type * as z from 'zod';
import type { withOlderNames } from './config-legacy.ts';
import { placeOf } from './config-place.ts';
import type { Known, Rule } from './config-rule.ts';

/**
 * Everything that is wrong with the variables that are set, by themselves and together. The rules judge the others even
 * where some are wrong, so that nobody has to start twice to learn of all.
 * @param results of reading the variables, with each schema that has a part of them
 * @param readOthers reads those that the rules need, of which the wrong ones have been left out
 * @returns `NAME: the problem`, and never a value
 */
export function findProblems(
  { set, renamed, required }: ReturnType<typeof withOlderNames>,
  results: readonly z.ZodSafeParseResult<unknown>[],
  readOthers: (others: Readonly<Record<string, string>>) => Known,
  rules: readonly Rule[],
): string[] {
  const issues = results.flatMap(({ error }) => error?.issues ?? []);
  const wrong = issues.map(({ path, message }) => {
    const name = String(path[0]);
    const from = renamed.find((each) => each.name === name);
    const said = set[name] === undefined ? required(name) : message;
    return `${placeOf(path)}${from === undefined ? '' : ` (from ${from.old})`}: ${said}`;
  });
  const invalid = new Set(issues.map(({ path }) => String(path[0])));
  const others = readOthers(Object.fromEntries(Object.entries(set).filter(([name]) => !invalid.has(name))));
  const contradictions = rules.flatMap((each) => each.problems(others, invalid, required));
  return [...new Set([...wrong, ...contradictions])];
}
