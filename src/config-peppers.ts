import * as z from 'zod';

/** `name:pepper,name:pepper`: the peppers of other systems, by the names that their hashes carry here. */
export function readPeppers(text: string, context: z.RefinementCtx): ReadonlyMap<string, string> {
  const peppers = new Map<string, string>();
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const [, name, pepper] = /^\s*([a-z][a-z0-9_-]{0,30}):(\S{1,512})\s*$/.exec(pair) ?? [];
    if (name === undefined || pepper === undefined || peppers.has(name)) {
      context.addIssue({ code: 'custom', message: 'Expected name:pepper,name:pepper, each name once' });
      return z.NEVER;
    }
    peppers.set(name, pepper);
  }
  return peppers;
}
