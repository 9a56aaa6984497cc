// On Node only: it starts the command that people type, which runs the Worker in workerd itself.
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { processesNaming } from '../support/processes.ts';
import { runReadmeSession } from '../support/readme-session.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** `npm run dev` or `npm start`, until its `ready:` line. */
async function start(command: readonly string[], data: string, port: number) {
  const environment = { ...process.env, DATA_DIR: data, PORT: String(port) };
  const child = spawn('npm', command, { cwd: root, env: environment, detached: true });
  // npm ends itself with the signal it got (SIGINT), or with the code of its script.
  const exited = new Promise<number | string | null>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes(`ready: http://localhost:${port}\n`)) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void exited.then(() => reject(new Error(`It ended: ${output}`)));
  });
  return {
    ready,
    output: () => output,
    /** Ctrl-C: the whole group of processes gets the signal. */
    async stop(signal: NodeJS.Signals) {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
      return await exited;
    },
  };
}

/** Two neighbouring free ports. */
async function freePorts(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const next = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      next.once('error', () => resolve(false));
      next.listen(port + 1, '127.0.0.1', () => resolve(true));
    });
    next.close();
    await new Promise((resolve) => server.close(resolve));
    if (isFree && port < 65_000) return port;
  }
}

/** In a process of its own, as another service would. */
async function verifyElsewhere(token: string, issuer: string): Promise<string> {
  const script = `
    import { createRemoteJWKSet, jwtVerify } from 'jose';
    const [token, issuer] = process.argv.slice(1);
    const keys = createRemoteJWKSet(new URL(issuer + '/.well-known/jwks.json'));
    const options = { issuer, audience: issuer, algorithms: ['RS256'], typ: 'at+jwt' };
    const { payload } = await jwtVerify(token, keys, options);
    console.log(payload.sub);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, token, issuer], { cwd: root });
  return stdout.trim();
}

const post = async (url: string, body: object) => {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  // biome-ignore lint/suspicious/noExplicitAny: the test fails where the answer has another shape
  return { status: response.status, body: (await response.json()) as any };
};

// At the same time: most of it is waiting for processes that start and end.
it.concurrent.each([
  ['npm run dev', ['run', 'dev'], 'SIGINT'],
  ['npm start', ['start'], 'SIGTERM'],
] as const)(
  '%s serves the README session, keeps its data, and leaves no process behind',
  async (_, command, signal) => {
    const data = await mkdtemp(join(tmpdir(), 'edge-auth-e2e-'));
    // Postgres may run as an account of its own, which has to get through.
    await chmod(data, 0o755);
    const port = await freePorts();
    const base = `http://localhost:${port}`;
    try {
      const first = await start(command, data, port);
      await first.ready;
      const second = await start(command, data, port + 10);
      const refusal = expect(second.ready).rejects.toThrow(/is in use by another process \(pid \d+\)\. Stop it first/);
      const lines = await runReadmeSession(base);
      expect(lines).toHaveLength(6);
      const [registered = '', me = '', verified = '', signedOut, refused, keys = ''] = lines;
      expect(JSON.parse(registered)).toMatchObject({ token_type: 'Bearer', user: { username: 'ann' } });
      expect(JSON.parse(me)).toMatchObject({ email: 'ann@example.com', username: 'ann', name: 'Ann' });
      expect(JSON.parse(verified)).toMatchObject({ iss: base, sub: JSON.parse(me).id });
      expect(JSON.parse(signedOut ?? '')).toEqual({ message: 'Signed out' });
      expect(refused).toBe('401');
      expect(JSON.parse(keys).keys).toHaveLength(1);

      await refusal;

      const mailbox = await fetch(`http://localhost:${port + 1}/messages.json`);
      const [mail, ...others] = JSON.parse(await mailbox.text());
      expect([mail.to, others]).toEqual(['ann@example.com', []]);
      const link = new URL(/http:\S+#token=\S+/.exec(mail.text)?.[0] ?? '');
      expect(await (await fetch(link)).text()).toContain('<button>');
      const press = () =>
        fetch(link, { method: 'POST', body: new URLSearchParams(link.hash.slice(1)), redirect: 'error' });
      // A used link says that the address is confirmed already.
      expect([(await press()).status, (await press()).status]).toEqual([200, 200]);

      const { refresh_token: before } = JSON.parse(registered);
      expect((await processesNaming(data)).join()).toMatch(/postgres/);
      expect([0, signal]).toContain(await first.stop(signal));
      expect(first.output()).not.toContain('error');
      expect(await processesNaming(data)).toEqual([]);

      const again = await start(command, data, port);
      await again.ready;
      const refreshed = await post(`${base}/auth/refresh`, { refresh_token: before });
      expect(refreshed.status).toBe(200);
      expect(await verifyElsewhere(refreshed.body.access_token, base)).toBe(JSON.parse(me).id);
      expect([0, signal]).toContain(await again.stop(signal));
      expect(await processesNaming(data)).toEqual([]);
    } finally {
      await rm(data, { recursive: true, force: true });
    }
  },
  120_000,
);

it('npm run dev goes on without the shell that started npm, and not without npm', async () => {
  const data = await mkdtemp(join(tmpdir(), 'edge-auth-e2e-'));
  await chmod(data, 0o755);
  const port = await freePorts();
  const env = { ...process.env, DATA_DIR: data, PORT: String(port) };
  const status = () =>
    fetch(`http://localhost:${port}/healthz`)
      .then((response) => response.status)
      .catch(() => 0);
  try {
    const { stdout } = await run('sh', ['-c', 'npm run dev >/dev/null 2>&1 & echo $!'], { cwd: root, env });
    await expect.poll(status, { timeout: 60_000, interval: 200 }).toBe(200);
    process.kill(Number(stdout), 'SIGKILL');
    await expect.poll(() => processesNaming(data), { timeout: 20_000, interval: 200 }).toEqual([]);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}, 120_000);
