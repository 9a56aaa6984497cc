import type { TestApp } from './test-app.ts';

export const metricsToken = 'metrics-token-of-the-tests';
export const withMetrics = { METRICS_TOKEN: metricsToken };

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const labelPair = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\n"])*"';
const sampleLine = new RegExp(`^(${metricName})(?:\\{(${labelPair}(?:,${labelPair})*)\\})? (\\S+)$`);
const suffixes: Readonly<Record<string, RegExp>> = { histogram: /^(_bucket|_sum|_count)$/ };

/**
 * Reads the text format 0.0.4 strictly: each family has its HELP, its TYPE, and then samples of its own, no series
 * stands twice, and buckets are cumulated up to `+Inf`, which is the count. `promtool` reads the same in `.ci/run`.
 * @throws {Error} naming the line
 */
function parseMetrics(text: string): Family[] {
  if (!text.endsWith('\n')) throw new Error('The last line has no end');
  const families: { name: string; type: string; samples: Sample[] }[] = [];
  const seen = new Set<string>();
  let helped: string | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = () => new Error(`Not the text format: ${line}`);
    const help = new RegExp(`^# HELP (${metricName}) (?:[^\\\\]|\\\\[\\\\n])+$`).exec(line)?.[1];
    const [, typed, type = ''] = new RegExp(`^# TYPE (${metricName}) (counter|gauge|histogram)$`).exec(line) ?? [];
    if (help !== undefined) {
      if (families.some(({ name }) => name === help)) throw fail();
      helped = help;
      continue;
    }
    if (typed !== undefined) {
      if (typed !== helped) throw fail();
      families.push({ name: typed, type, samples: [] });
      continue;
    }
    const [, name = '', pairs = '', value = ''] = sampleLine.exec(line) ?? [];
    const family = families.at(-1);
    const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
    if (family === undefined || !name.startsWith(family.name) || value === '' || Number.isNaN(number)) throw fail();
    const suffix = name.slice(family.name.length);
    if (!(suffixes[family.type] ?? /^$/).test(suffix) || seen.has(`${name}{${pairs}}`)) throw fail();
    seen.add(`${name}{${pairs}}`);
    family.samples.push({ name, labels: readLabels(pairs), value: number });
  }
  for (const family of families) if (family.type === 'histogram') checkBuckets(family);
  return families;
}

function readLabels(pairs: string): Labels {
  const found = pairs.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
  const unescaped = (text: string) => text.replaceAll(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
  return Object.fromEntries([...found].map(([, label = '', text = '']) => [label, unescaped(text)]));
}

const without = ({ le: _, ...labels }: Labels) => JSON.stringify(labels);

function checkBuckets({ name, samples }: Family): void {
  for (const [labels, series] of Map.groupBy(samples, (each) => without(each.labels))) {
    const values = series.filter((each) => each.name === `${name}_bucket`).map(({ value }) => value);
    const isCumulated = values.every((value, index) => value >= (values[index - 1] ?? 0));
    const infinite = series.find((each) => each.labels['le'] === '+Inf')?.value;
    const count = series.find((each) => each.name === `${name}_count`)?.value;
    const hasSum = series.some((each) => each.name === `${name}_sum`);
    if (!isCumulated || infinite === undefined || infinite !== count || !hasSum) throw new Error(`${name} ${labels}`);
  }
}

export interface Scraped {
  readonly text: string;
  readonly families: readonly Family[];
  /** The value of the first sample that has at least these labels; undefined where there is none. */
  value(name: string, labels?: Labels): number | undefined;
  /** The labels of all samples of that name. */
  labels(name: string): readonly Labels[];
}

/** What `/metrics` tells. */
export async function scrape({ request }: Pick<TestApp, 'request'>): Promise<Scraped> {
  const { status, body, headers } = await request('GET', '/metrics', { token: metricsToken });
  if (status !== 200) throw new Error(`No metrics: ${status} ${JSON.stringify(body)}`);
  if (headers.get('Content-Type') !== 'text/plain; version=0.0.4; charset=utf-8') throw new Error('Another type');
  const families = parseMetrics(body);
  const samples = families.flatMap((family) => family.samples);
  const has = (labels: Labels, wanted: Labels) =>
    Object.entries(wanted).every(([label, value]) => labels[label] === value);
  return {
    text: body,
    families,
    value: (name, wanted = {}) => samples.find((each) => each.name === name && has(each.labels, wanted))?.value,
    labels: (name) => samples.filter((each) => each.name === name).map(({ labels }) => labels),
  };
}
