// On Node only: Workers have no connections of their own.
import { expect, it } from 'vitest';
import type { Config } from '../../src/config.ts';
import { readConfig } from '../../src/config.ts';
import { reportUnreachable } from '../../src/node/reachable.ts';
import { createLog } from '../../src/ops/log.ts';
import { testSecret } from '../support/secret.ts';
import { createSmtpServer } from '../support/smtp-server.ts';

async function report(variables: Record<string, string>): Promise<unknown[]> {
  const config: Config = readConfig({
    ENVIRONMENT: 'dev',
    AUTH_SECRET: testSecret,
    ISSUER: 'http://localhost:3000',
    DATABASE_URL: 'postgres://user:password@host/database',
    ...variables,
  });
  const lines: unknown[] = [];
  await reportUnreachable(
    config,
    createLog('warn', Date.now, (line) => void lines.push(JSON.parse(line))),
  );
  return lines;
}

const smtp = (port: number, tls: string) => ({
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: String(port),
  SMTP_TLS: tls,
  MAIL_FROM: 'a@example.com',
});

it('a relay without STARTTLS is named at the start, with what to set, and one that fits is not', async () => {
  const server = await createSmtpServer('none');
  expect(await report(smtp(server.port, 'starttls'))).toMatchObject([
    {
      event: 'smtp_not_reached',
      host: '127.0.0.1',
      port: server.port,
      code: 'ETLS',
      advice: expect.stringContaining(
        `The SMTP server at 127.0.0.1:${server.port} refuses STARTTLS. Use SMTP_TLS=implicit`,
      ),
    },
  ]);
  expect(await report(smtp(server.port, 'none'))).toEqual([]);
});

it('an SMTP server that is not there is named at the start', async () => {
  expect(await report(smtp(1, 'none'))).toMatchObject([
    { event: 'smtp_not_reached', port: 1, advice: expect.stringContaining('correct SMTP_HOST, SMTP_PORT') },
  ]);
});
