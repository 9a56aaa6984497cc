// On Node only: it reads files.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { definitionOf, metricNames } from '../../src/ops/metric-table.ts';

const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');

/** Every name under which `/metrics` tells something, and the labels that it has there. */
const known = new Map<string, readonly string[]>(
  metricNames.flatMap((name): [string, readonly string[]][] => {
    const { type, labels } = definitionOf(name);
    const own = Object.keys(labels);
    if (type !== 'histogram') return [[name, own]];
    return [
      [`${name}_bucket`, [...own, 'le']],
      [`${name}_sum`, own],
      [`${name}_count`, own],
    ];
  }),
);
/** What Prometheus adds to each series. */
const added = ['instance', 'job', 'pod'];

/** What is wrong with an expression of PromQL: it cannot be read, or names what is not there. */
function faults(expression: string): string[] {
  const text = expression.replaceAll('$__rate_interval', '5m');
  const found: string[] = [];
  const names: string[] = [];
  const labels: string[] = [];
  parser.parse(text).iterate({
    enter({ type, from, to }) {
      const part = text.slice(from, to);
      if (type.isError) found.push(`cannot be read at ${from}`);
      if (type.name === 'Identifier') names.push(part);
      if (type.name === 'LabelName') labels.push(part);
    },
  });
  const allowed = names.flatMap((name) => known.get(name) ?? []);
  const isUp = (name: string) => name === 'up';
  found.push(...names.filter((name) => !known.has(name) && !isUp(name)).map((name) => `no metric ${name}`));
  found.push(...labels.filter((label) => ![...allowed, ...added].includes(label)).map((label) => `no label ${label}`));
  if (names.length === 0) found.push('names no metric');
  return found.map((fault) => `${expression}: ${fault}`);
}

const rules = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^EdgeAuth\w+$/),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
          annotations: z.strictObject({ summary: z.string(), description: z.string().optional() }),
        }),
      ),
    }),
  ),
});

const dashboard = z.object({
  uid: z.string(),
  panels: z.array(
    z.object({
      id: z.int(),
      type: z.enum(['row', 'timeseries', 'stat']),
      title: z.string(),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
      targets: z.array(z.object({ expr: z.string() })).default([]),
    }),
  ),
});

describe('what operators import', () => {
  it('finds the faults that it looks for', () => {
    expect(faults('sum(rate(edge_auth_no_such_total[5m]))')).toHaveLength(1);
    expect(faults('sum by (route) (rate(edge_auth_logins_total[5m]))')).toHaveLength(1);
    expect(faults('sum(rate(edge_auth_logins_total{result="x"}[5m])')).not.toEqual([]);
    expect(faults('edge_auth_http_request_duration_seconds')).toHaveLength(1);
  });

  it('alerts by metrics and labels that are there', () => {
    const all = rules.parse(parse(read('deploy/prometheus/alerts.yml'))).groups.flatMap((group) => group.rules);
    expect(all.length).toBeGreaterThan(10);
    expect(all.flatMap(({ expr }) => faults(expr))).toEqual([]);
    expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
  });

  it('draws every metric, and nothing that is not there', () => {
    const { panels } = dashboard.parse(JSON.parse(read('deploy/grafana/edge-auth.json')));
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(expressions.flatMap(faults)).toEqual([]);
    expect(metricNames.filter((name) => !expressions.some((expression) => expression.includes(name)))).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });

  it('is told in the documentation: each metric with its kind, labels and meaning', () => {
    const rows = [...read('docs/observability.md').matchAll(/^\| `(edge_auth_\w+)` \| (\w+) \| (.*) \| (.*) \|$/gm)];
    const told = rows.map(([, name, type, labels, help]) => ({ name, type, labels, help }));
    const code = metricNames.map((name) => {
      const { type, labels, help } = definitionOf(name);
      const list = Object.keys(labels).map((label) => `\`${label}\``);
      return { name, type, labels: list.join(', '), help };
    });
    expect(told).toEqual(code);
  });
});
