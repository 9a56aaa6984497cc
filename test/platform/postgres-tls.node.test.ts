// On Node only: it is how a Node process connects.
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPostgres } from '../../src/platform/postgres.ts';
import { explainDatabaseFailure } from '../../src/platform/postgres-reasons.ts';
import { readConnectionString } from '../../src/platform/postgres-url.ts';
import { readSigningKeys } from '../../src/tokens/store.ts';
import { createCertificate } from '../support/certificate.ts';

const certificate = createCertificate();

/** Speaks the beginning of Postgres' protocol: whether it takes TLS, and what the first message says after that. */
async function listen(takesTls: boolean): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (first) => {
      const asksForTls = first.length === 8 && first.readInt32BE(4) === 80_877_103;
      if (!asksForTls) {
        seen.push('plaintext');
        socket.destroy();
        return;
      }
      socket.write(takesTls ? 'S' : 'N');
      if (!takesTls) return;
      const secure = new TLSSocket(socket, { isServer: true, ...certificate });
      secure.on('error', () => undefined);
      secure.once('data', () => {
        seen.push('TLS');
        socket.destroy();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, seen };
}

/** What a connection with this query does: what the server saw, and what the service says. */
async function connect(query: string, takesTls = true, host = 'localhost') {
  const { port, seen } = await listen(takesTls);
  const url = `postgres://user:CANARY@${host}:${port}/database${query}`;
  const { db, close } = createPostgres({ url, poolSize: 1 });
  const said = await readSigningKeys(db).then(
    () => 'connected',
    (error) => explainDatabaseFailure(error, url),
  );
  await close();
  expect(said).not.toContain('CANARY');
  return { seen, said };
}

async function authority(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'edge-auth-ca-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'ca.pem');
  writeFileSync(path, certificate.cert);
  return encodeURIComponent(path);
}

describe('sslmode', () => {
  it('asks for no TLS where it is disable or not there', async () => {
    for (const query of ['', '?sslmode=disable', '?ssl=false'])
      expect((await connect(query)).seen).toEqual(['plaintext']);
  });

  it.each(['allow', 'prefer', 'require', 'verify-ca', 'verify-full'])(
    '%s sends nothing to a server that it does not know, and says how to make it known',
    async (mode) => {
      const { seen, said } = await connect(`?sslmode=${mode}&channel_binding=prefer`);
      expect(seen).toEqual([]);
      expect(said).toMatch(/^The certificate of Postgres at localhost:\d+ is not trusted \(\w+\)\. Use the host name/);
      const plain = await connect(`?sslmode=${mode}`, false);
      expect(plain.seen).toEqual([]);
      expect(plain.said).toMatch(
        /^Postgres at localhost:\d+ does not support TLS\. Turn TLS on there, or write sslmode=disable/,
      );
    },
  );

  it('takes a certificate of an authority of one’s own, for the name that it has', async () => {
    const ca = await authority();
    for (const mode of ['require', 'verify-full']) {
      expect((await connect(`?sslmode=${mode}&sslrootcert=${ca}`)).seen).toEqual(['TLS']);
      const other = await connect(`?sslmode=${mode}&sslrootcert=${ca}`, true, '127.0.0.1');
      expect(other.seen).toEqual([]);
      expect(other.said).toContain('Use the host name in the certificate');
    }
    expect((await connect(`?sslmode=verify-ca&sslrootcert=${ca}`, true, '127.0.0.1')).seen).toEqual(['TLS']);
    expect((await connect(`?sslmode=require&sslrootcert=system`)).seen).toEqual([]);
  });

  it('no-verify takes any certificate', async () => {
    expect((await connect('?sslmode=no-verify')).seen).toEqual(['TLS']);
  });
});

it('channel_binding is used where the connection string asks for it, as Neon writes it', () => {
  const neon = 'postgres://user:password@ep-x.neon.tech/neondb?sslmode=require&channel_binding=require';
  expect(readConnectionString(neon)).toEqual({
    connectionString: 'postgres://user:password@ep-x.neon.tech/neondb?sslmode=verify-full',
    enableChannelBinding: true,
  });
  expect(readConnectionString('postgres://u@h/d?channel_binding=disable').enableChannelBinding).toBe(false);
});

it.each([
  ['ENOTFOUND', 'The host of the database, db.internal:5432, is unknown'],
  ['28P01', 'Check user and password in DATABASE_URL'],
  ['3D000', 'The database "auth" does not exist at db.internal:5432. Create it'],
  ['42501', 'Run `npm run db:migrate` with the address of the owner'],
  ['42P07', 'already has a table of another application'],
  ['42P01', 'Run `npm run db:migrate`'],
  ['53300', 'has no connection left'],
  ['57P03', 'is starting up or shutting down'],
  ['25006', 'refuses writes'],
  ['XX000', 'Postgres at db.internal:5432 failed (XX000). Read its log'],
])('a failure %s of the database is a sentence that says what to do', (code, told) => {
  const error = new Error('outer', { cause: Object.assign(new Error('CANARY'), { code }) });
  const said = explainDatabaseFailure(error, 'postgres://user:CANARY@db.internal/auth');
  expect(said).toContain(told);
  expect(said).not.toContain('CANARY');
});
