/** Of these a message says where in it something is wrong, since they are JSON. Lists of words have no names for places. */
const jsonVariables: ReadonlySet<string> = new Set(['WEBHOOKS']);

/** The name of a variable, or the place in it: `WEBHOOKS[1].url`. */
export function placeOf([name = '', ...path]: readonly PropertyKey[]): string {
  const variable = String(name);
  if (!jsonVariables.has(variable)) return variable;
  return variable + path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
}
