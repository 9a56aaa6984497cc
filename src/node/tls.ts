import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { type Config, ConfigError } from '../config.ts';
import { describeError, type Log } from '../ops/log.ts';
import { runEvery } from '../scheduled/timer.ts';

/** How often the files are looked at: milliseconds. Watching them misses what is mounted or linked anew. */
const interval = 1000;

/** TLS 1.2 with forward secrecy and authenticated encryption, and TLS 1.3 (RFC 9325). */
const policy: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
    ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
    ...['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ].join(':'),
};

export type TlsFiles = NonNullable<Config['tls']>;

async function read({ certFile, keyFile }: TlsFiles): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  return { cert, key };
}

/** @throws where the two are no certificate and its key */
function toContext(pair: { readonly cert: string; readonly key: string }): SecureContextOptions {
  const options = { ...policy, ...pair };
  createSecureContext(options);
  return options;
}

/**
 * The certificate and the key that a server begins with, and with which TLS.
 * @throws {ConfigError} where they cannot be read, or do not belong together
 */
export async function readTls(files: TlsFiles): Promise<SecureContextOptions> {
  try {
    return toContext(await read(files));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new ConfigError(
      `Invalid configuration. TLS_CERT_FILE, TLS_KEY_FILE: the service cannot read a certificate with its key (${code})`,
    );
  }
}

/**
 * Gives a server each new pair that the files hold. A pair that is not good, such as one of which half is written, leaves
 * the old one in its place, and is logged once.
 * @returns what ends it
 */
export function reloadTls(
  server: { setSecureContext(options: SecureContextOptions): void },
  files: TlsFiles,
  first: SecureContextOptions,
  log: Log,
): () => Promise<void> {
  let seen = `${first.cert}${first.key}`;
  let failure = '';
  const look = async () => {
    try {
      const pair = await read(files);
      const text = `${pair.cert}${pair.key}`;
      failure = failure === 'unreadable' ? '' : failure;
      if (text === seen) return;
      seen = text;
      server.setSecureContext(toContext(pair));
      log.info('tls_reloaded', { valid_to: new X509Certificate(pair.cert).validToDate.toISOString() });
    } catch (error) {
      // What cannot be read is tried again, and told once.
      const isRead = error instanceof Error && 'syscall' in error;
      if (isRead && failure === 'unreadable') return;
      failure = isRead ? 'unreadable' : '';
      log.error('tls_not_reloaded', describeError(error));
    }
  };
  return runEvery(interval, look);
}
