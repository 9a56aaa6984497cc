import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, readConfig, variableNames } from '../../src/config.ts';
import { nodeRules } from '../../src/config-rules.ts';
import { withSecretFiles } from '../../src/node/secret-files.ts';
import { type Compose, readCompose, readEnvironmentFile } from './compose.ts';
import { assert } from './report.ts';

const root = join(import.meta.dirname, '../..');

/** What a container of the service gets, with its secrets in this directory. */
export const environmentOf = ({ services }: Compose, name: string, secrets: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(services[name]?.environment ?? {}).map(([variable, value]) => [
      variable,
      String(value ?? '').replace('/run/secrets', secrets),
    ]),
  );

/** Every variable is one that the service reads, and together they are a configuration. */
function checkVariables(compose: Compose, secrets: string): Config | undefined {
  let config: Config | undefined;
  for (const name of ['auth', 'auth-2', 'migrate']) {
    const environment = environmentOf(compose, name, secrets);
    const unknown = Object.keys(environment).filter(
      (variable) => !variableNames.has(variable) && !variableNames.has(variable.replace(/_FILE$/, '')),
    );
    assert(unknown.length === 0, `${name} sets variables that the service reads (${unknown.join() || 'all'})`);
    if (name !== 'migrate') config = readConfig(withSecretFiles(environment), nodeRules);
  }
  return config;
}

/** Compose itself reads the file, which needs no engine. */
export function checkWithCompose(): void {
  for (const options of [
    ['--env-file', 'deploy/dev.env', '--profile', 'dev'],
    ['--profile', 'production'],
  ]) {
    const args = ['--file', 'docker-compose.postgres.yml', ...options, 'config', '--quiet'];
    execFileSync('docker-compose', args, { cwd: root, stdio: 'inherit' });
    console.log(`ok: docker-compose ${args.join(' ')}`);
  }
}

/**
 * Runs the commands that docs/self-hosting.md gives for production, with nothing but Docker left out, and checks what
 * they make.
 */
function checkDocumented(directory: string): void {
  const document = readFileSync(join(root, 'docs/self-hosting.md'), 'utf8');
  const block = [...document.matchAll(/```sh\n(.*?)```/gs)].find(([, text = '']) => text.includes('>production.env'));
  const commands = block?.[1];
  assert(commands !== undefined, 'the commands for production are documented');
  mkdirSync(join(directory, 'deploy'), { recursive: true });
  cpSync(join(root, 'deploy/secrets.sh'), join(directory, 'deploy/secrets.sh'));
  for (const name of ['your-certificate.pem', 'your-key.pem']) {
    writeFileSync(join(directory, name), '', { mode: 0o600 });
  }
  const docker = join(directory, 'docker');
  writeFileSync(docker, '#!/bin/sh\necho "$@" >>docker.log\n');
  chmodSync(docker, 0o755);
  const env = { PATH: `${directory}:${process.env['PATH']}` };
  execFileSync('sh', ['-ec', commands], { cwd: directory, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const asked = readFileSync(join(directory, 'docker.log'), 'utf8');
  assert(asked.includes('--env-file production.env'), `docker is asked to: ${asked.trim()}`);
  const secrets = join(directory, 'deploy/secrets');
  for (const name of ['tls_cert.pem', 'tls_key.pem']) {
    assert((statSync(join(secrets, name)).mode & 0o777) === 0o644, `the account of the proxy can read ${name}`);
  }
  assert((statSync(secrets).mode & 0o777) === 0o700, 'nobody else can look into deploy/secrets');
  const given = readEnvironmentFile(join(directory, 'production.env'));
  // With a domain of one's own: the one of the example is refused.
  const own = { ...given, ISSUER: 'https://auth.acme.dev' };
  const config = checkVariables(readCompose(root, own), secrets);
  assert(config?.environment === 'production' && config.mail?.from !== undefined, 'what is documented sends mails');
}

/** Of development as in `deploy/dev.env`, of production with an issuer; without one it is refused. */
export function checkConfigurations(secrets: string): Compose {
  const development = checkVariables(readCompose(root, readEnvironmentFile(join(root, 'deploy/dev.env'))), secrets);
  assert(development?.environment === 'dev', 'deploy/dev.env is for development');
  const compose = readCompose(root, { ISSUER: 'https://auth.acme.dev' });
  const config = checkVariables(compose, secrets);
  assert(config?.environment === 'production', 'without it the service is in production');
  assert(config.observability.metricsTokens.length === 1, 'there is a token for metrics');
  assert(config.compatApis.length > 0, 'the older APIs are on');
  const withoutOlder = checkVariables(readCompose(root, { ISSUER: 'https://auth.acme.dev', COMPAT_APIS: '' }), secrets);
  assert(withoutOlder?.compatApis.length === 0, 'and none of them where COMPAT_APIS is empty');
  const proxy = readFileSync(join(root, 'deploy/nginx/nginx.conf'), 'utf8');
  for (const name of ['auth', 'auth-2']) {
    const { front } = Object(compose.services[name]?.networks);
    assert(proxy.includes(` ${front?.ipv4_address}:3000 `), `the proxy knows ${name} as ${front?.ipv4_address}`);
  }
  checkDocumented(join(secrets, '..', 'documented'));
  let refusal = '';
  try {
    checkVariables(readCompose(root, {}), secrets);
  } catch (error) {
    refusal = String(error);
  }
  assert(refusal.includes('ISSUER'), `production without an issuer: ${refusal}`);
  return compose;
}
