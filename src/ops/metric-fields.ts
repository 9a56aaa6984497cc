import * as z from 'zod';
import {
  type CounterName,
  definitionOf,
  type HistogramName,
  type LabelsOf,
  type MetricName,
  metricNames,
} from './metric-table.ts';

/**
 * How a number is called under which it is summed up: a JSON list of the metric, the values of its labels, and for a
 * histogram the bucket that it is the count of (not cumulated), or `sum`.
 */
const field = (name: MetricName, labels: Readonly<Record<string, string>>, part: readonly string[]) =>
  JSON.stringify([name, ...Object.keys(definitionOf(name).labels).map((label) => labels[label] ?? ''), ...part]);

export const counterField = <Name extends CounterName>(name: Name, labels: LabelsOf<Name>): string =>
  field(name, labels, []);
export const histogramField = <Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, part: string): string =>
  field(name, labels, [part]);

const fieldShape = z.tuple([z.enum(metricNames)], z.string());

export interface Field {
  readonly name: MetricName;
  readonly values: readonly string[];
  /** Of a histogram. */
  readonly part: string | undefined;
}

/** Undefined for what this release does not know: others may add to the same sums. */
export function readField(text: string): Field | undefined {
  const { data } = fieldShape.safeParse(parsed(text));
  if (data === undefined) return undefined;
  const [name, ...rest] = data;
  const { type, labels } = definitionOf(name);
  const count = Object.keys(labels).length;
  const isHistogram = type === 'histogram';
  if (rest.length !== count + (isHistogram ? 1 : 0)) return undefined;
  return { name, values: rest.slice(0, count), part: isHistogram ? rest[count] : undefined };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
