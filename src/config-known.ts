import { olderNames } from './config-legacy.ts';
import { isLimitName, limitVariables, lockoutVariables } from './config-limits.ts';
import { type Misspelt, misspeltNames } from './config-names.ts';
import { variables } from './config-variables.ts';

/** The name of every variable that is read, older names too. */
export const variableNames: ReadonlySet<string> = new Set([
  ...[variables, limitVariables, lockoutVariables].flatMap(({ shape }) => Object.keys(shape)),
  ...olderNames,
]);

/** A file of variables may name the directory of the embedded database as well, which is none of the configuration. */
const otherNames = ['DATA_DIR'];
const knownNames: ReadonlySet<string> = new Set([...variableNames, ...otherNames]);
const ourNames = [...Object.keys(variables.shape), ...otherNames];

/** Variables that are set and that nothing reads. @param set variables that are set, by name */
export const findMisspelt = (set: Readonly<Record<string, string>>): Misspelt[] =>
  // A limit of a wrong name is refused, since it would protect nothing.
  misspeltNames(set, knownNames, ourNames).filter(({ name }) => !isLimitName(name));
