import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, readConfig, variableNames } from '../../src/config.ts';
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
    if (name !== 'migrate') config = readConfig(withSecretFiles(environment));
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

/** Of development as in `deploy/dev.env`, of production with an issuer; without one it is refused. */
export function checkConfigurations(secrets: string): Compose {
  const development = checkVariables(readCompose(root, readEnvironmentFile(join(root, 'deploy/dev.env'))), secrets);
  assert(development?.environment === 'dev', 'deploy/dev.env is for development');
  const compose = readCompose(root, { ISSUER: 'https://auth.example.com' });
  const config = checkVariables(compose, secrets);
  assert(config?.environment === 'production', 'without it the service is in production');
  assert(config.observability.metricsTokens.length === 1, 'there is a token for metrics');
  const given = { SMTP_HOST: 'mail.example.com', SMTP_USER: 'ann', MAIL_FROM: 'auth@example.com' };
  writeFileSync(join(secrets, 'smtp_password'), 'pw\n');
  checkVariables(readCompose(root, { ISSUER: 'https://auth.example.com', ...given }), secrets);
  writeFileSync(join(secrets, 'smtp_password'), '');
  let refusal = '';
  try {
    checkVariables(readCompose(root, {}), secrets);
  } catch (error) {
    refusal = String(error);
  }
  assert(refusal.includes('ISSUER'), `production without an issuer: ${refusal}`);
  return compose;
}
