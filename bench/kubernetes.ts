/**
 * `npm run check:kubernetes`: lints and renders the Helm chart with several sets of values, validates each manifest
 * against the Kubernetes JSON schemas and, by the compiler, for fields that are unknown, compares the variables with the configuration, and
 * the plain manifests with what the chart gives. `node bench/kubernetes.ts --write` writes those.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { CronJob } from 'kubernetes-models/batch/v1/CronJob';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { variableNames } from '../src/config.ts';
import { helm, helmRefusal } from './support/helm.ts';

const root = join(import.meta.dirname, '..');
const chart = join(root, 'deploy/helm/edge-auth');
const plain = join(root, 'deploy/kubernetes');

const kinds = {
  'apps/v1/Deployment': Deployment,
  'autoscaling/v2/HorizontalPodAutoscaler': HorizontalPodAutoscaler,
  'batch/v1/CronJob': CronJob,
  'batch/v1/Job': Job,
  'networking.k8s.io/v1/Ingress': Ingress,
  'networking.k8s.io/v1/NetworkPolicy': NetworkPolicy,
  'policy/v1/PodDisruptionBudget': PodDisruptionBudget,
  'v1/ConfigMap': ConfigMap,
  'v1/Secret': Secret,
  'v1/Service': Service,
  'monitoring.coreos.com/v1/PrometheusRule': PrometheusRule,
  'monitoring.coreos.com/v1/ServiceMonitor': ServiceMonitor,
} as const;

const secret = 'secret.existing=edge-auth';
const made = ['AUTH_SECRET', 'DATABASE_URL', 'REDIS_URL'].map((key) => `secret.values.${key}=x`).join();
/** Sets of values that together go through every branch of the templates. */
const sets: Readonly<Record<string, readonly string[]>> = {
  'an existing secret': ['--set', secret],
  'a secret of its own': ['--set', made],
  'everything on': [
    ...['--set', `${secret},migrations.mode=init,tls.secretName=tls,ingress.enabled=true,ingress.className=nginx`],
    ...['--set', 'ingress.tlsSecretName=tls,serviceMonitor.enabled=true,podAnnotations.a=b,nodeSelector.a=b'],
    ...['--set', 'imagePullSecrets[0].name=x,tolerations[0].key=x,tolerations[0].operator=Exists'],
    ...['--set', 'networkPolicy.from[0].namespaceSelector.matchLabels.a=b,ingress.annotations.a=b'],
    ...['--set', 'env.TRUSTED_PROXIES=10.0.0.0/8,prometheusRule.enabled=true,prometheusRule.labels.release=x'],
    ...['--set', 'backup.enabled=true,backup.certificateSecret=backup,backup.existingClaim=backups'],
    ...['--set', 'migrations.secretKey=OWNER_URL,migrations.grantTo=edge_auth_service'],
    ...['--set', 'networkPolicy.to[0].ipBlock.cidr=10.0.0.0/8'],
    ...['--set', 'affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight=1'],
    ...[
      '--set',
      'affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey=z',
    ],
  ],
  'everything off': ['--set', `${secret},autoscaling.enabled=false,networkPolicy.enabled=false`],
};

/** Values that are refused, each with what helm says of them. */
const refused: Readonly<Record<string, readonly string[]>> = {
  'migrations.mode must be job or init, not always': ['--set', `${secret},migrations.mode=always`],
  'secret.values.RESEND_API_KEY is missing in secret.keys': ['--set', `${made},secret.values.RESEND_API_KEY=x`],
  'secret.values.SMTP_PASSWORD is missing in secret.keys': ['--set', `${secret},secret.values.SMTP_PASSWORD=x`],
  'secret.values.AUTH_SECRET is required': [],
  'env.TRUSTED_PROXIES is required with an ingress': ['--set', `${secret},ingress.enabled=true`],
  'backup.certificateSecret is required': ['--set', `${secret},backup.enabled=true`],
  'secret.values.OWNER is required': ['--set', `${made},migrations.secretKey=OWNER`],
};

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
type Manifest = z.output<typeof manifest>;

const read = (text: string) =>
  parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter((document) => document !== null)
    .map((document) => manifest.parse(document));

/** Against the JSON schema of its kind. */
function validate(document: Manifest): string {
  const name = `${document.apiVersion}/${document.kind}`;
  const Kind = Object.entries(kinds).find(([kind]) => kind === name)?.[1];
  if (Kind === undefined) throw new Error(`There is no schema for ${name}`);
  Reflect.construct(Kind, [document]).validate();
  return name;
}

/** The schemas let unknown fields pass; the compiler does not where an object stands as it is. */
function refuseUnknownFields(documents: readonly Manifest[]): void {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-manifests-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    const lines = documents.map((document) => {
      const path = `${document.apiVersion}/${document.kind}`;
      const source = path.startsWith('monitoring') ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
      return `(${JSON.stringify(document)}) satisfies import('${source}/${path}').I${document.kind};`;
    });
    writeFileSync(join(directory, 'manifests.ts'), `${lines.join('\n')}\nexport {};\n`);
    const options = { module: 'nodenext', target: 'es2022', strict: true, noEmit: true, skipLibCheck: true, types: [] };
    writeFileSync(
      join(directory, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['manifests.ts'] }),
    );
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', directory], {
      stdio: 'inherit',
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Whatever the containers set is a variable that the service reads. */
function checkVariables(document: Manifest): void {
  for (const [, name = ''] of JSON.stringify(document).matchAll(/\{"name":"([A-Z][A-Z0-9_]+)","value"/g)) {
    const isKnown =
      name.startsWith('BACKUP_') || variableNames.has(name) || variableNames.has(name.replace(/_FILE$/, ''));
    if (!isKnown) throw new Error(`${document.kind} sets ${name}, which the service does not read`);
  }
}

/** A chart holds its own files alone: those of deploy/ stand there once more. */
for (const [from, to] of [
  ['deploy/prometheus/alerts.yml', 'files/alerts.yml'],
  ['deploy/backup.sh', 'files/backup.sh'],
] as const) {
  const text = readFileSync(join(root, from), 'utf8');
  if (process.argv[2] === '--write') writeFileSync(join(chart, to), text);
  if (readFileSync(join(chart, to), 'utf8') !== text) throw new Error(`${to} is not ${from}: npm run manifests`);
}

const rendered = `# Rendered from the chart by npm run manifests, with values.yaml beside this file. The Secret edge-auth is yours.
${helm(['template', 'edge-auth', chart, '--values', join(plain, 'values.yaml')]).replaceAll(/^\s*(helm\.sh\/|app\.kubernetes\.io\/managed-by).*\n/gm, '')}`;
if (process.argv[2] === '--write') writeFileSync(join(plain, 'edge-auth.yaml'), rendered);
if (readFileSync(join(plain, 'edge-auth.yaml'), 'utf8') !== rendered) {
  throw new Error('deploy/kubernetes/edge-auth.yaml is not what the chart gives: npm run manifests');
}

const all: Manifest[] = read(rendered);
for (const [name, values] of Object.entries(sets)) {
  helm(['lint', '--strict', chart, ...values]);
  const documents = read(helm(['template', 'edge-auth', chart, ...values]));
  console.log(`with ${name}: ${documents.map(({ kind }) => kind).join(', ')}`);
  all.push(...documents);
}
for (const [why, values] of Object.entries(refused)) {
  const said = helmRefusal(['template', 'edge-auth', chart, ...values]);
  if (!said.includes(why)) throw new Error(`helm does not say "${why}" but: ${said}`);
  console.log(`refused: ${why}`);
}
const seen = new Set(all.map(validate));
const scraped = JSON.stringify(read(helm(['template', 'edge-auth', chart, ...(sets['everything on'] ?? [])])));
if (!scraped.includes('"name":"METRICS_TOKEN_FILE"')) throw new Error('The pods do not know what scrapes them');
const missing = Object.keys(kinds).filter((kind) => !seen.has(kind));
if (missing.length > 0) throw new Error(`No set of values gives ${missing.join(', ')}`);
refuseUnknownFields(all);
all.forEach(checkVariables);
console.log(`${all.length} manifests follow their schemas and hold no unknown field`);
