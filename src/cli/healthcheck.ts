import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { readConfig } from '../config.ts';
import { withSecretFiles } from '../node/secret-files.ts';

/** How long the service may take to answer: milliseconds. */
const patience = 4000;

/**
 * `node src/cli/healthcheck.ts`, for a container with the variables of the service: exit code 0 where the process
 * answers. What it depends on is no reason to restart it, so that is not asked (`/readyz`).
 */
const { host: listening, port, tls } = readConfig(withSecretFiles(process.env));
/** Where it listens everywhere it does so here too. */
const host = ['0.0.0.0', '::'].includes(listening) ? '127.0.0.1' : listening;
const options = { host, port, path: '/healthz', timeout: patience };
// It asks itself, so the name in the certificate does not matter.
const sent =
  tls === undefined ? requestHttp(options) : requestHttps({ ...options, rejectUnauthorized: false, agent: false });
sent
  .once('response', (response) => process.exit(response.statusCode === 200 ? 0 : 1))
  .once('timeout', () => process.exit(1))
  .once('error', () => process.exit(1))
  .end();
