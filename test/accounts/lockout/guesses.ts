import {
  type Answer,
  password,
  registerUser,
  type TestApp,
  type TestAppOptions,
  testApp,
} from '../../support/test-app.ts';

/** Counts what it is asked, and takes the one password. */
function countingHasher() {
  const hasher = {
    asked: 0,
    hash: async () => 'stored',
    verify: async (typed: string, stored: string | null) => {
      hasher.asked += 1;
      return { valid: stored !== null && typed === password, needsUpgrade: false };
    },
  };
  return hasher;
}

export async function setUp(options: TestAppOptions = {}) {
  const hasher = countingHasher();
  const app = await testApp({ hasher, ...options });
  return { app, hasher, user: await registerUser(app, { username: `u-${crypto.randomUUID()}` }) };
}

interface Sent {
  readonly typed?: string;
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
export const wrong = 'wrong password';
export const login = ({ request }: TestApp, identifier: string, sent: Sent = {}): Promise<Answer> => {
  const { typed = wrong, address = '198.51.100.1', headers = {} } = sent;
  return request('POST', '/auth/login', { body: { identifier, password: typed }, address, headers });
};
export const right = (app: TestApp, identifier: string, sent: Sent = {}) =>
  login(app, identifier, { ...sent, typed: password });
export const statuses = async (times: number, call: () => Promise<Answer>) => {
  const list = [];
  for (let time = 0; time < times; time += 1) list.push((await call()).status);
  return list;
};
export const addressOf = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
export const knownDevice = async (app: TestApp, identifier: string) => {
  const { headers } = await right(app, identifier, { address: '192.0.2.1' });
  return { 'X-Device-Token': headers.get('X-Device-Token') ?? '' };
};
