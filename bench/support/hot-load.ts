import { Agent, request } from 'node:http';
import { password, tokens } from './client.ts';

/** Who sends: a number of clients, each with a session of its own. */
export interface HotLoad {
  /** Sends so many requests more, shared among the clients. @throws where one is not answered as it should be */
  send(count: number): Promise<void>;
  /** How often each was sent. */
  readonly sent: ReadonlyMap<string, number>;
  close(): void;
}

interface Client {
  readonly email: string;
  session: { readonly access_token: string; readonly refresh_token: string };
}

type Step = (client: Client) => Promise<unknown>;

/** Which share of a thousand requests goes where. What hashes a password or sends a mail is rare, as it is in life. */
const shares = {
  health: 500,
  jwks: 150,
  verify: 200,
  me: 80,
  refresh: 64,
  login: 3,
  register: 1,
  mail: 2,
} as const;
type Kind = keyof typeof shares;
const kinds = Object.entries(shares).flatMap(([kind, share]) => Array.from({ length: share }, () => kind as Kind));
/** Prime to a thousand: so the kinds come mixed, and all of them in each thousand. */
const stride = 37;

/** Requests to every hot endpoint, over connections that are kept. */
export async function startHotLoad(base: string, clients: number): Promise<HotLoad> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const sent = new Map<string, number>();

  function send(method: string, path: string, wanted: number, body?: object, access?: string): Promise<unknown> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      'CF-Connecting-IP': '192.0.2.1',
      ...(text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
      ...(access === undefined ? {} : { Authorization: `Bearer ${access}` }),
    };
    return new Promise((resolve, reject) => {
      const begun = request(`${base}${path}`, { method, agent, headers }, (response) => {
        let read = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          read += chunk;
        });
        response.once('error', reject).once('end', () => {
          if (response.statusCode === wanted) resolve(JSON.parse(read));
          else reject(new Error(`${method} ${path} was answered ${response.statusCode}: ${read.slice(0, 200)}`));
        });
      });
      begun.once('error', reject).end(text);
    });
  }

  const newEmail = () => `memory-${crypto.randomUUID()}@example.com`;
  const register = (email: string) => send('POST', '/auth/register', 201, { email, password });
  const steps: Readonly<Record<Kind, Step>> = {
    health: () => send('GET', '/healthz', 200),
    jwks: () => send('GET', '/.well-known/jwks.json', 200),
    verify: ({ session }) => send('GET', '/auth/verify-token', 200, undefined, session.access_token),
    me: ({ session }) => send('GET', '/users/me', 200, undefined, session.access_token),
    register: () => register(newEmail()),
    mail: ({ email }) => send('POST', '/auth/forgot-password', 202, { email }),
    async refresh(client) {
      const body = { refresh_token: client.session.refresh_token };
      client.session = tokens.parse(await send('POST', '/auth/refresh', 200, body));
    },
    async login(client) {
      client.session = tokens.parse(await send('POST', '/auth/login', 200, { identifier: client.email, password }));
    },
  };
  const people: Client[] = [];
  for (let n = 0; n < clients; n += 1) {
    const email = newEmail();
    people.push({ email, session: tokens.parse(await register(email)) });
  }

  let next = 0;
  return {
    sent,
    async send(count) {
      const end = next + count;
      const work = async (client: Client) => {
        while (next < end) {
          const kind = kinds[(next * stride) % kinds.length] ?? 'health';
          next += 1;
          sent.set(kind, (sent.get(kind) ?? 0) + 1);
          await steps[kind](client);
        }
      };
      await Promise.all(people.map(work));
    },
    close: () => agent.destroy(),
  };
}
