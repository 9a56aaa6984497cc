import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from '../../dev/ports.ts';
import { readConfig } from '../../src/config.ts';
import { listen } from '../../src/node/server.ts';
import { createCertificate } from './certificate.ts';
import { testSecret } from './secret.ts';
import { type TestApp, testApp } from './test-app.ts';

/** Listens with an application of its own, until the test ends. */
export async function serve(variables: Record<string, string> = {}): Promise<{ port: number; app: TestApp }> {
  const app = await testApp();
  const port = await freePort();
  const config = readConfig({
    AUTH_SECRET: testSecret,
    ISSUER: 'https://auth.test',
    DATABASE_URL: app.databaseUrl,
    HOST: '127.0.0.1',
    PORT: String(port),
    ...variables,
  });
  onTestFinished(await listen(app.app, config, app.deps.log, {}));
  return { port, app };
}

/** The variables that name a certificate and its key, in files that go with the test. */
export function tlsVariables(): Record<'TLS_CERT_FILE' | 'TLS_KEY_FILE', string> {
  const directory = mkdtempSync(join(tmpdir(), 'edge-auth-tls-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const { cert, key } = createCertificate();
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
}
