import { Hono } from 'hono';
import { mailRoutes } from './accounts/mail-routes.ts';
import { profileRoutes } from './accounts/profile-routes.ts';
import { registrationByAnyName } from './accounts/register-routes.ts';
import { accountRoutes, deletionByCredentials } from './accounts/routes.ts';
import { accountTasks } from './accounts/tasks.ts';
import { adminActionRoutes } from './admin/action-routes.ts';
import { adminEventRoutes } from './admin/event-routes.ts';
import { adminRoutes } from './admin/routes.ts';
import { auditRoutes } from './audit/routes.ts';
import { compatRoutes, passwordFormPath } from './compat/routes.ts';
import { createDatabaseClock } from './db/clock.ts';
import type { Deps } from './deps.ts';
import { createEventRelay } from './events/relay.ts';
import { eventRoutes } from './events/routes.ts';
import { createAdmission } from './http/admission.ts';
import type { Env } from './http/context.ts';
import type { Endpoint } from './http/endpoint.ts';
import { mount } from './http/mount.ts';
import { openApiRoutes } from './http/openapi.ts';
import { createRefuse, type Refuse } from './http/refusal.ts';
import { createServe } from './http/serve.ts';
import { healthRoutes } from './ops/health.ts';
import { metricsRoutes } from './ops/metrics-routes.ts';
import { createObserver, type Observer, ownTrace } from './ops/observer.ts';
import { createRelay } from './outbox/relay.ts';
import { docsFileRoutes, docsRoutes } from './pages/docs-routes.ts';
import { pageRoutes } from './pages/routes.ts';
import { startPage } from './pages/start-page.ts';
import { createRoles } from './roles/roles.ts';
import { createScheduled, type RunScheduled } from './scheduled/scheduled.ts';
import { lastingRefresh, sessionRoutes } from './sessions/routes.ts';
import { createRevocation } from './tokens/revocation.ts';
import { tokenRoutes } from './tokens/routes.ts';
import { createSigningKeys } from './tokens/signing-keys.ts';
import { version } from './version.ts';

export interface App {
  readonly fetch: Hono<Env>['fetch'];
  /** Answers what cannot be read as a request. */
  readonly refuse: Refuse;
  /** What has to be done from time to time. Safe to run in many places at once. Logs what fails, and does not reject. */
  readonly runScheduled: RunScheduled;
  /** Delivers what is due and enqueued: before the process ends. */
  readonly deliverDue: () => Promise<void>;
  /**
   * Goes on with what is due where the scheduled work left something, or where somebody is back; every few seconds. Does
   * not reject.
   */
  readonly drain: () => Promise<void>;
  /** Hands on what was counted and traced; once an interval, and before the process ends. Does not reject. */
  readonly flush: Observer['flush'];
  /** The same when an interval is over, once for all who ask meanwhile: for a runtime that has no timers of its own. */
  readonly flushSoon: Observer['flushSoon'];
}

/** The application: everything it needs comes in, and HTTP comes out. */
export function createApp(given: Deps): App {
  const observer = createObserver(given);
  const { deps, metrics } = observer;
  const { config } = deps;
  for (const { old, name } of config.renamed) deps.log.warn('variable_has_a_new_name', { old, new: name });
  for (const name of config.meaningless) {
    deps.log.warn('variable_means_nothing_here', { name, advice: 'Remove it' });
  }
  const signingKeys = createSigningKeys(deps);
  const revocation = createRevocation(deps);
  const admission = createAdmission({ ...deps, roles: createRoles(deps), signingKeys, revocation });
  const events = createEventRelay(deps);
  const relay = createRelay(deps, accountTasks(deps), events.deliver);
  const databaseClock = createDatabaseClock(deps);
  const sessionDeps = { ...deps, databaseClock, signingKeys, revocation, relay, events };

  const endpoints = [
    startPage(config, version),
    ...healthRoutes(deps, version),
    ...metricsRoutes({ ...deps, metrics, kv: given.kv, signingKeys }, version),
    ...accountRoutes(sessionDeps),
    ...mailRoutes(sessionDeps),
    ...profileRoutes(sessionDeps),
    ...sessionRoutes(sessionDeps, admission),
    ...auditRoutes(deps),
    ...adminRoutes(sessionDeps),
    ...adminActionRoutes(sessionDeps),
    ...adminEventRoutes(sessionDeps),
    ...tokenRoutes(deps, signingKeys),
    ...eventRoutes(config),
  ];

  const described: Endpoint[] = openApiRoutes(() => [...endpoints, ...older, ...described, ...docsPages], {
    ...{ issuer: config.issuer, limits: config.limits },
    ...{ version, tokenPath: passwordFormPath(config) },
  });
  const docsPages = docsRoutes(deps);
  const docs = config.docs ? [...described, ...docsPages] : [];
  const behindOlder = [lastingRefresh, deletionByCredentials, registrationByAnyName].map((make) => make(sessionDeps));
  const older = compatRoutes(config, [...endpoints, ...docs, ...behindOlder]);
  const pages = [...pageRoutes(sessionDeps), ...(config.docs ? docsFileRoutes(deps) : [])];

  const app = new Hono<Env>();
  const serve = createServe(deps, observer, endpoints);
  const redirectsSlashes = config.compatApis.length > 0;
  mount(app, [...endpoints, ...older, ...pages, ...docs], { admission, serve, redirectsSlashes });

  const scheduled = createScheduled(sessionDeps);
  const asOwnTrace = (name: string, work: () => Promise<unknown>) =>
    observer.trace(ownTrace, async () => {
      await work();
      return { result: undefined, outcome: () => ({ name, kind: 'internal', attributes: {}, failed: false }) };
    });
  const runScheduled: RunScheduled = (options) => asOwnTrace('scheduled', () => scheduled(options));
  const deliverDue = () => asOwnTrace('deliver what is due', () => Promise.all([relay.sweep(), events.sweep()]));
  const refuse = createRefuse(deps, metrics);
  const drain = async () => {
    if (!relay.isBehind() && !events.isBehind()) return;
    await asOwnTrace('drain', () => Promise.all([relay.drain(), events.drain()]));
  };
  return {
    fetch: app.fetch,
    refuse,
    runScheduled,
    deliverDue,
    drain,
    flush: observer.flush,
    flushSoon: observer.flushSoon,
  };
}
