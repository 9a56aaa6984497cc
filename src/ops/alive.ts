import * as z from 'zod';

const alive = z
  .object({ status: z.literal('ok'), name: z.string(), version: z.string() })
  .meta({ id: 'Alive', examples: [{ status: 'ok', name: 'edge-auth', version: '1.0.0' }] });

/** What the process says of itself, asking nobody. */
export const aliveResponses = { 200: { description: 'The process answers', schema: alive } };
export const aliveAnswer = (version: string) => ({ status: 'ok', name: 'edge-auth', version }) as const;
