/**
 * `node bench/metrics-sample.ts`: prints metrics as `/metrics` would, each of them once and with label values that need
 * escaping, for `promtool check metrics`.
 */

import { definitionOf, metricNames } from '../src/ops/metric-table.ts';
import { createMetrics } from '../src/ops/metrics.ts';
import { gauge, writeMetrics } from '../src/ops/prometheus.ts';
import { createMemoryKeyValue } from '../src/platform/memory.ts';

const odd = 'a "quoted" back\\slash\nand a line é🙂';
const now = () => 0;
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const metrics = createMetrics({ kv: createMemoryKeyValue({ now }), log, now, newId: () => crypto.randomUUID() });

metrics.count('edge_auth_http_requests_total', { method: 'GET', route: odd, status: '200' });
for (const milliseconds of [0, 5, 300, 60_000]) {
  const labels = { method: 'GET', route: odd, status_class: '2xx' };
  metrics.observe('edge_auth_http_request_duration_seconds', labels, milliseconds);
  metrics.observe('edge_auth_dependency_duration_seconds', { dependency: 'database', result: 'ok' }, milliseconds);
}
metrics.count('edge_auth_event_deliveries_total', { sink: odd, result: 'failed' });
metrics.count('edge_auth_scheduled_steps_total', { step: 'relay_outbox', result: 'ok' });
const text = writeMetrics(await metrics.read(), [
  gauge('edge_auth_outbox_waiting', { kind: odd, sink: odd }, 1e21),
  gauge('edge_auth_outbox_oldest_age_seconds', { kind: 'email', sink: '' }, 0.001),
  gauge('edge_auth_outbox_dead', { kind: 'event', sink: 'webhook:crm' }, Number.POSITIVE_INFINITY),
  gauge('edge_auth_signing_keys', { state: 'signing' }, 1),
  gauge('edge_auth_signing_key_age_seconds', {}, 0),
  gauge('edge_auth_signing_key_next_rotation_seconds', {}, -1.5),
  gauge('edge_auth_dependency_up', { dependency: 'database' }, 1),
  gauge('edge_auth_build_info', { version: odd }, 1),
]);
process.stdout.write(text);

const missing = metricNames.filter((name) => !text.includes(`# TYPE ${name} ${definitionOf(name).type}\n`));
if (missing.length > 0) {
  console.error(`error: not in the sample: ${missing.join(', ')}`);
  process.exitCode = 1;
}
