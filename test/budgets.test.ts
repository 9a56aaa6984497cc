import { describe, expect, inject, it } from 'vitest';
import { runtime } from '#test-runtime';
import { withDeadline } from '../src/platform/kv-deadline.ts';
import { namespaced } from './degraded/key-values.ts';
import { type Answer, hasSharedKeyValue, password, registerUser, type TestApp, testApp } from './support/test-app.ts';

interface Cost {
  readonly statements: number;
  /** To the key-value store. */
  readonly roundTrips: number;
}

/** What went over the wire, as the other end counted it: asked in workerd, where each of both is an HTTP request. */
async function requests({ databaseUrl }: TestApp, token: string): Promise<Cost> {
  const count = async (url: string | URL) =>
    Number((await (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).json<{ requests: number }>()).requests);
  const database = new URL('/counters', inject('neonEndpoint'));
  database.searchParams.set('database', new URL(databaseUrl).pathname.slice(1));
  return { statements: await count(database), roundTrips: await count(`${inject('upstashUrl')}/counters`) };
}
