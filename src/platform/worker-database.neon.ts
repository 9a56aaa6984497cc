import type { Config } from '../config.ts';
import type { Database } from '../db/database.ts';
import { createNeon } from './neon.ts';

/** Variables that come from bindings: none, `DATABASE_URL` is a secret. */
export const databaseVariables = (
  _bindings: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> => ({});

/** The database of a Worker: Neon, over HTTP. Its other form is `worker-database.hyperdrive.ts`. */
export const openDatabase = ({ database, neonEndpoint }: Config): Database =>
  createNeon({ url: database.url, endpoint: neonEndpoint });
