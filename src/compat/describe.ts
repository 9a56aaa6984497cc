import * as z from 'zod';
import type { Row } from './table.ts';
import { oldFields } from './words.ts';

const objectSchema = z.looseObject({
  properties: z.record(z.string(), z.unknown()),
  required: z.array(z.string()).default([]),
});
const objects = z.array(z.record(z.string(), z.unknown())).default([]);

const examplesOf = (schema: z.ZodType) => objects.parse(schema.meta()?.examples);

/** A body in the words of the older API. Only for the OpenAPI document: nothing is validated with it. */
export function oldBody({ fields = {}, fixed = {}, bearer }: Row, body: z.ZodType): z.ZodType {
  const renamed = Object.entries(fields).map(([old, ours]) => ({ old, ours: [ours].flat() }));
  if (renamed.length + Object.keys(fixed).length === 0 && bearer === undefined) return body;
  const { $defs, $ref, ...inline } = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' });
  const { properties, required } = objectSchema.parse($defs?.[$ref?.replace('#/$defs/', '') ?? ''] ?? inline);
  const oldName = (name: string) => renamed.find(({ ours }) => ours.includes(name))?.old ?? name;
  const inOldNames = (object: Readonly<Record<string, unknown>>) => {
    const entries = Object.entries(object).map(([name, value]) => [oldName(name), value] as const);
    // Of two that have one old name, the first.
    return Object.fromEntries(
      entries.filter(([name], index) => entries.findIndex(([other]) => other === name) === index),
    );
  };
  const constants = Object.entries(fixed).map(([name, value]) => [name, { const: value }]);
  // One of two names is needed.
  const either = renamed.filter(({ ours }) => ours.length > 1).map(({ old }) => old);
  return z.unknown().meta({
    type: 'object',
    properties: { ...inOldNames(properties), ...Object.fromEntries(constants) },
    required: [...either, ...required.filter((name) => name !== bearer).map(oldName)],
    examples: examplesOf(body)
      // One that has a field of another name shows it; the others would show only ours.
      .filter((example) => renamed.length === 0 || renamed.some(({ ours }) => ours.some((name) => name in example)))
      .map((example) => ({ ...inOldNames(example), ...fixed })),
  });
}

const schemaAt = (schema: z.ZodType, place: string) =>
  place.split('.').reduce<unknown>((at, name) => (at instanceof z.ZodObject ? at.shape[name] : undefined), schema);

/** An answer, with what is added to it. */
export function oldAnswer({ adds = {} }: Row, schema: z.ZodType): z.ZodType {
  if (!(schema instanceof z.ZodObject)) return schema;
  const added = Object.entries(adds).flatMap(([name, places]) => {
    const found = places.map((place) => schemaAt(schema, place)).find((at) => at instanceof z.ZodType);
    return found === undefined ? [] : [[name, found] as const];
  });
  if (added.length === 0) return schema;
  const examples = examplesOf(schema).map((example) => ({ ...example, ...oldFields(adds, example) }));
  return schema.extend(Object.fromEntries(added)).meta({ examples });
}
