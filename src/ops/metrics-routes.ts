import { createHash, timingSafeEqual } from 'node:crypto';
import type { Deps } from '../deps.ts';
import { Problem } from '../errors.ts';
import { bearerOf } from '../http/admission.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { isLoopbackAddress } from '../limits/client-address.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';
import { createGauges } from './gauges.ts';
import type { Metrics } from './metrics.ts';
import { contentType, gauge, writeMetrics } from './prometheus.ts';

interface Needs extends Pick<Deps, 'config' | 'db' | 'kv' | 'log' | 'now'> {
  readonly metrics: Metrics;
  readonly signingKeys: SigningKeys;
}

/** Where no token is set there is no such address, but for the machine itself in development. */
export function metricsRoutes(deps: Needs, version: string): Endpoint[] {
  const { config, kv, metrics } = deps;
  const digests = config.observability.metricsTokens.map(digest);
  const readGauges = createGauges(deps);

  function letIn(authorization: string | undefined, address: string | undefined): void {
    if (digests.length === 0) {
      if (config.environment === 'dev' && isLoopbackAddress(address)) return;
      throw new Problem('not_found', { reason: 'METRICS_TOKEN is not set' });
    }
    const shown = digest(bearerOf(authorization) ?? '');
    const matches = digests.map((known) => timingSafeEqual(shown, known));
    if (!matches.includes(true)) throw new Problem('invalid_token', { reason: 'no metrics token' });
  }

  return [
    endpoint({
      method: 'get',
      path: '/metrics',
      operationId: 'metrics',
      tag: 'Operation',
      summary: 'Metrics of all processes for Prometheus',
      description:
        'Send `METRICS_TOKEN` as the bearer token. Answers 404 if it is not configured. Text format 0.0.4. Counters are ' +
        'missing while the key-value store does not answer.',
      security: 'metrics',
      responses: { 200: { description: 'Metrics as text', type: 'text/plain' } },
      errors: ['invalid_token', 'not_found'],
      prepare: ({ c }) => {
        letIn(c.req.header('Authorization'), c.env.clientAddress);
        return unlimited();
      },
      handler: async ({ c }) => {
        const [sums, gauges] = await Promise.all([metrics.read().catch(() => undefined), readGauges()]);
        const isUp = sums === undefined ? 0 : 1;
        const store = kv.kind === 'memory' ? [] : [gauge('edge_auth_dependency_up', { dependency: 'key_value' }, isUp)];
        const all = [...gauges, ...store, gauge('edge_auth_build_info', { version }, 1)];
        return c.body(writeMetrics(sums, all), 200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
      },
    }),
  ];
}

/** Of one length, whatever was shown. */
const digest = (token: string) => createHash('sha256').update(token).digest();
