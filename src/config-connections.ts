import { isLoopbackHost } from './config-mail.ts';

/** The modes of `sslmode` that this service knows: those of libpq, and `no-verify`, which node-postgres adds. */
const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const;
export type SslMode = (typeof sslModes)[number];
const isSslMode = (text: string): text is SslMode => sslModes.some((mode) => mode === text);

/** A connection string may leave the host out, where `?host=` names the directory of a socket. */
export const parseAddress = (text: string): URL | null =>
  URL.parse(text) ?? URL.parse(text.replace(/^([a-z]+:\/\/[^@/?#]*@)\//, '$1localhost/'));

/** How a connection string asks for TLS; undefined where it does not say. `ssl=true` is an older way to say `require`. */
export function sslModeOf(url: URL): SslMode | undefined {
  const mode = url.searchParams.get('sslmode') ?? url.searchParams.get('ssl') ?? undefined;
  if (mode === undefined || isSslMode(mode)) return mode;
  return ['true', '1'].includes(mode) ? 'require' : ['false', '0'].includes(mode) ? 'disable' : undefined;
}

const isPostgres = (url: URL) => /^postgres(ql)?:$/.test(url.protocol);

/**
 * The host that an address names. For Postgres the last `?host=` counts more, unless it is empty: it may be the directory
 * of a socket. It means nothing in other addresses.
 */
export const hostOf = (url: URL): string =>
  (isPostgres(url) && url.searchParams.getAll('host').at(-1)) || url.hostname || 'localhost';

const isHere = (host: string) => host.startsWith('/') || isLoopbackHost(host);

/** Whether what is sent there can be read on the way: without TLS, or by somebody who shows any certificate. */
export function isPlaintext(text: string): boolean {
  const url = parseAddress(text);
  if (url === null || isHere(hostOf(url))) return false;
  if (isPostgres(url)) return ['disable', 'no-verify', undefined].includes(sslModeOf(url));
  return ['http:', 'redis:', 'amqp:'].includes(url.protocol);
}

const encoded = '%40 for @, %23 for #, %25 for %, %2F for /, %3F for ?';

/**
 * What is wrong with the address of a database, a Redis or a broker, in a sentence without any of it. A user name or a
 * password that holds raw `@ # % / ?` is read as the host, or ends it: the name that cannot be resolved then is a part of
 * the password.
 */
export function connectionProblem(text: string): string | undefined {
  const encode = `User name and password must be percent-encoded (${encoded})`;
  const [, authority = ''] = /^[a-z]+:\/\/([^/?#]*)/.exec(text) ?? [];
  const url = parseAddress(text);
  const isSplit = authority.split('@').length > 2 || (!authority.includes('@') && /^[^?]*@/.test(text));
  if (url === null) return /@/.test(text) ? `Not an address. ${encode}` : 'Not an address';
  if (isSplit || url.hash !== '') return encode;
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return encode;
  }
  const mode = url.searchParams.get('sslmode');
  if (mode !== null && !isSslMode(mode)) return `Expected sslmode to be one of ${sslModes.join(', ')}`;
  return undefined;
}
