import * as z from 'zod';
import { eventTypes } from './events/types.ts';

/** Base64 of 24 to 64 bytes, as Standard Webhooks has it, and not all alike. */
const secret = z
  .string('Expected a text')
  .regex(/^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, {
    message: 'Expected whsec_ and base64',
    abort: true,
  })
  .refine(isStrong, 'Needs 24 to 64 random bytes: whsec_ and the output of openssl rand -base64 32');

function isStrong(text: string): boolean {
  const bytes = atob(text.slice('whsec_'.length));
  return bytes.length >= 24 && bytes.length <= 64 && new Set(bytes).size > 5;
}

const isDistinct = (values: readonly string[]) => new Set(values).size === values.length;

const webhook = z.strictObject(
  {
    /** Part of the sink's name: what waits for it stands in the outbox under it. */
    name: z
      .string('Expected a name')
      .regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'Expected up to 32 lower-case letters, digits or -'),
    url: z.string('Expected an address').refine((text) => URL.canParse(text), 'Expected https://host/path'),
    /** Newest first. Each signs, so that a receiver may move from one to the next in its own time. */
    secrets: z
      .array(secret, 'Expected a list of secrets')
      .min(1, 'Expected at least one secret')
      .max(4, 'Expected at most four secrets')
      .refine(isDistinct, 'Contains the same secret twice'),
    /** All where it is not set. */
    types: z
      .array(z.enum(eventTypes, `Expected names among ${eventTypes.join(', ')}`), 'Expected a list of types')
      .min(1, 'Expected at least one type. Leave out the list for all types')
      .optional(),
  },
  // What zod says of itself quotes unknown keys.
  'Expected an object with name, url, secrets and optionally types',
);

export type Webhook = z.output<typeof webhook>;

/** Where something is wrong, the issue's path says where in the list; no message quotes what stands there. */
export const webhookList = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue('Expected a JSON array');
      return z.NEVER;
    }
  })
  .pipe(
    z
      .array(webhook, 'Expected a JSON array')
      .max(20, 'Expected at most 20 webhooks')
      .superRefine((webhooks, context) => {
        for (const [index, { name }] of webhooks.entries()) {
          if (webhooks.findIndex((other) => other.name === name) < index) {
            context.addIssue({ code: 'custom', path: [index, 'name'], message: 'Appears twice' });
          }
        }
      }),
  );
