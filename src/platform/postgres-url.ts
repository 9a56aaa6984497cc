import type { ClientConfig } from 'pg';
import { hostOf, parseAddress, sslModeOf } from '../config-connections.ts';

/**
 * Reads a connection string as this service means it. Each mode that asks for TLS insists on it, and checks the server's
 * certificate: one that takes any certificate sends the password to anybody who answers. `verify-ca` with `sslrootcert`
 * leaves out the name of the host, as with libpq, and `no-verify` checks nothing.
 */
export function readConnectionString(
  databaseUrl: string,
): Pick<ClientConfig, 'connectionString' | 'enableChannelBinding'> {
  const url = parseAddress(databaseUrl);
  if (url === null) return { connectionString: databaseUrl };
  const { searchParams: parameters } = url;
  const binding = parameters.get('channel_binding');
  const mode = sslModeOf(url);
  const ownAuthority = parameters.get('sslrootcert') ?? 'system';
  // The driver must not find another host than the configuration was judged by, such as that of `PGHOST`.
  const host = hostOf(url);
  parameters.delete('host');
  if (host !== url.hostname) parameters.set('host', host);
  for (const name of ['channel_binding', 'sslmode', 'ssl', 'uselibpqcompat']) parameters.delete(name);
  if (ownAuthority === 'system') parameters.delete('sslrootcert');
  if (mode === 'verify-ca' && ownAuthority !== 'system') {
    parameters.set('uselibpqcompat', 'true');
    parameters.set('sslmode', mode);
  } else if (mode === 'disable' || mode === 'no-verify') parameters.set('sslmode', mode);
  else if (mode !== undefined) parameters.set('sslmode', 'verify-full');
  return { connectionString: url.href, enableChannelBinding: binding === 'require' || binding === 'prefer' };
}
