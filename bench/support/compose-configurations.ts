import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, readConfig, variableNames } from '../../src/config.ts';
import { nodeRules } from '../../src/config-rules.ts';
import { withSecretFiles } from '../../src/node/secret-files.ts';
import { type Compose, readCompose, readEnvironmentFile } from './compose.ts';
import { assert } from './report.ts';

const root = join(import.meta.dirname, '../..');

/** Variables of the file that Compose reads for itself; the service is given them with all others. */
const ofCompose: ReadonlySet<string> = new Set(['ENV_FILE', 'IMAGE', 'VERSION', 'HTTPS_PORT', 'HTTP_PORT']);

/** What a container of the service gets, with its secrets in this directory, and the file of variables as it is. */
export function environmentOf(
  { services }: Compose,
  name: string,
  secrets: string,
  given: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const { environment = {}, env_file: files = [] } = services[name] ?? {};
  const all = { ...(files.length === 0 ? {} : given), ...environment };
  return Object.fromEntries(
    Object.entries(all).map(([variable, value]) => [variable, String(value ?? '').replace('/run/secrets', secrets)]),
  );
}

/** Every variable is one that the service reads, and together they are a configuration. */
function checkVariables(given: Readonly<Record<string, string>>, secrets: string): Config | undefined {
  const compose = readCompose(root, given);
  let config: Config | undefined;
  for (const name of ['auth', 'auth-2', 'migrate']) {
    const environment = environmentOf(compose, name, secrets, given);
    const unknown = Object.keys(environment).filter(
      (variable) =>
        !ofCompose.has(variable) && !variableNames.has(variable) && !variableNames.has(variable.replace(/_FILE$/, '')),
    );
    assert(unknown.length === 0, `${name} sets variables that the service reads (${unknown.join() || 'all'})`);
    if (name !== 'migrate') config = readConfig(withSecretFiles(environment), nodeRules);
  }
  return config;
}

/** Compose itself reads the file, which needs no engine. @param directory for a file of variables */
export function checkWithCompose(directory: string): void {
  const production = join(directory, 'production.env');
  writeFileSync(
    production,
    `ENV_FILE=${production}\nISSUER=https://auth.example.com\nIMAGE=registry.example.com/auth\n`,
  );
  for (const options of [
    ['--env-file', 'deploy/dev.env', '--profile', 'dev'],
    ['--env-file', production, '--profile', 'production', '--profile', 'rabbitmq', '--profile', 'backup'],
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
  const config = checkVariables({ ...given, ISSUER: 'https://auth.acme.dev' }, secrets);
  assert(config?.environment === 'production' && config.mail?.from !== undefined, 'what is documented sends mails');
}

/** Of development as in `deploy/dev.env`, of production with an issuer; without one it is refused. */
export function checkConfigurations(secrets: string): { compose: Compose; given: Record<string, string> } {
  const development = checkVariables(readEnvironmentFile(join(root, 'deploy/dev.env')), secrets);
  assert(development?.environment === 'dev', 'deploy/dev.env is for development');
  const production = {
    ISSUER: 'https://auth.acme.dev',
    LIMIT_LOGIN_ADDRESS: '7/60',
    LOCKOUT_ACCOUNT: '50/60/60/60',
  };
  const config = checkVariables(production, secrets);
  assert(config?.environment === 'production', 'without it the service is in production');
  assert(config.observability.metricsTokens.length === 1, 'there is a token for metrics');
  assert(config.compatApis.length > 0, 'the older APIs are on');
  assert(config.limits.login_address.limit === 7, 'a limit in the file reaches the service');
  assert(
    config.eventSinks.length === 0 && development.eventSinks.length === 1,
    'RabbitMQ is there where it is asked for',
  );
  const withoutOlder = checkVariables({ ISSUER: 'https://auth.acme.dev', COMPAT_APIS: '' }, secrets);
  assert(withoutOlder?.compatApis.length === 0, 'and none of them where COMPAT_APIS is empty');
  const given = { ...production, RABBITMQ_URL_FILE: '/run/secrets/rabbitmq_url' };
  const compose = readCompose(root, given);
  const proxy = readFileSync(join(root, 'deploy/nginx/nginx.conf'), 'utf8');
  for (const name of ['auth', 'auth-2']) {
    assert(compose.services[name] !== undefined && proxy.includes(` ${name}:3000 resolve `), `the proxy finds ${name}`);
    assert(compose.services[name]?.ports === undefined, `${name} holds no port of the host, so it can be scaled`);
  }
  assert(
    proxy.includes('http2 on;') && proxy.includes('return 308 https://'),
    'the proxy speaks HTTP/2, and TLS alone',
  );
  checkDocumented(join(secrets, '..', 'documented'));
  let refusal = '';
  try {
    checkVariables({}, secrets);
  } catch (error) {
    refusal = String(error);
  }
  assert(refusal.includes('ISSUER'), `production without an issuer: ${refusal}`);
  return { compose, given };
}
