import { readField } from './metric-fields.ts';
import { buckets, definitionOf, type GaugeName, type LabelsOf, type MetricName, metricNames } from './metric-table.ts';

/** A gauge as it is now. */
export interface Gauge {
  readonly name: GaugeName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export const gauge = <Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): Gauge => ({
  name,
  labels,
  value,
});

export const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * The text format of Prometheus, version 0.0.4.
 * @param sums by field; undefined where they cannot be read: then counters are left out, since one that falls and comes
 * back would look like a restart and count everything once more
 */
export function writeMetrics(sums: ReadonlyMap<string, number> | undefined, gauges: readonly Gauge[]): string {
  const series = groupSums(sums ?? new Map());
  const lines = metricNames.flatMap((name) => {
    const samples = samplesOf(name, series, sums !== undefined, gauges);
    if (samples.length === 0) return [];
    const { help, type } = definitionOf(name);
    return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...samples];
  });
  return `${lines.join('\n')}\n`;
}

/** The numbers of one series: by their part for a histogram, else one under ''. */
type Series = Map<string, { values: readonly string[]; parts: Map<string, number> }>;

function groupSums(sums: ReadonlyMap<string, number>): ReadonlyMap<MetricName, Series> {
  const all = new Map<MetricName, Series>();
  for (const [text, sum] of sums) {
    const field = readField(text);
    if (field === undefined) continue;
    const series: Series = all.get(field.name) ?? new Map();
    all.set(field.name, series);
    const id = JSON.stringify(field.values);
    const one = series.get(id) ?? { values: field.values, parts: new Map<string, number>() };
    one.parts.set(field.part ?? '', sum);
    series.set(id, one);
  }
  return all;
}

function samplesOf(
  name: MetricName,
  all: ReadonlyMap<MetricName, Series>,
  areSummed: boolean,
  gauges: readonly Gauge[],
): string[] {
  const { type, labels } = definitionOf(name);
  if (type === 'gauge') {
    return gauges.filter((each) => each.name === name).map((each) => sample(name, each.labels, each.value));
  }
  const series: Series = new Map(areSummed ? notCountedYet(labels) : []);
  for (const [id, one] of all.get(name) ?? []) series.set(id, one);
  return [...series.values()].flatMap(({ values, parts }) => {
    const labelled = Object.fromEntries(Object.keys(labels).map((label, index) => [label, values[index] ?? '']));
    return type === 'counter' ? [sample(name, labelled, parts.get('') ?? 0)] : histogram(name, labelled, parts);
  });
}

/** Of a metric whose labels have known values every series is there from the start: else its first count is not seen. */
function notCountedYet(
  labels: ReturnType<typeof definitionOf>['labels'],
): [string, { values: string[]; parts: Map<string, number> }][] {
  let all: string[][] = [[]];
  for (const values of Object.values(labels)) {
    all = values === 'open' ? [] : all.flatMap((before) => values.map((value) => [...before, value]));
  }
  return all.map((values) => [JSON.stringify(values), { values, parts: new Map() }]);
}

/** Buckets are kept one by one and written cumulated. */
function histogram(name: string, labels: Gauge['labels'], parts: ReadonlyMap<string, number>): string[] {
  let count = 0;
  const bounds = [...buckets, Number.POSITIVE_INFINITY].map((bound) => {
    count += parts.get(String(bound)) ?? 0;
    return sample(`${name}_bucket`, { ...labels, le: number(bound) }, count);
  });
  const sum = (parts.get('sum') ?? 0) / 1e6;
  return [...bounds, sample(`${name}_sum`, labels, sum), sample(`${name}_count`, labels, count)];
}

function sample(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${number(value)}`;
}

const number = (value: number) => String(value).replace('Infinity', value > 0 ? '+Inf' : 'Inf');
const escapeHelp = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const escapeLabel = (text: string) => escapeHelp(text.toWellFormed()).replaceAll('"', '\\"');
