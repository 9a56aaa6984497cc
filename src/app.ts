import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
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
import { Problem } from './errors.ts';
import { createEventRelay } from './events/relay.ts';
import { eventRoutes } from './events/routes.ts';
import type { Env } from './http/context.ts';
import { crossOrigin } from './http/cross-origin.ts';
import { refuseCrossSiteForms } from './http/cross-site.ts';
import type { Endpoint } from './http/endpoint.ts';
import { mount } from './http/mount.ts';
import { observeRequest } from './http/observe-request.ts';
import { answerProblem, toError, toProblem } from './http/on-error.ts';
import { openApiRoutes } from './http/openapi.ts';
import { createRefuse, type Refuse } from './http/refusal.ts';
import { requestIds } from './http/request-id.ts';
import { requestLog } from './http/request-log.ts';
import { healthRoutes } from './ops/health.ts';
import { metricsRoutes } from './ops/metrics-routes.ts';
import { createObserver, type Observer, ownTrace } from './ops/observer.ts';
import { createRelay } from './outbox/relay.ts';
import { docsFileRoutes, docsRoutes } from './pages/docs-routes.ts';
import { pageRoutes } from './pages/routes.ts';
import { startPage } from './pages/start-page.ts';
import { createRoles } from './roles/roles.ts';
import { createScheduled, type RunScheduled } from './scheduled/scheduled.ts';
import { createGate } from './sessions/authenticate.ts';
import { lastingRefresh, sessionRoutes } from './sessions/routes.ts';
import { createRevocation } from './tokens/revocation.ts';
import { tokenRoutes } from './tokens/routes.ts';
import { createSigningKeys } from './tokens/signing-keys.ts';
import { version } from './version.ts';

const maximumBody = 64 * 1024;

export interface App {
  readonly fetch: Hono<Env>['fetch'];
  /** Answers what cannot be read as a request. */
  readonly refuse: Refuse;
  /** What has to be done from time to time. Safe to run in many places at once. Logs what fails, and does not reject. */
  readonly runScheduled: RunScheduled;
  /** Delivers what is due and promised: before the process ends. */
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
  const gate = createGate({ ...deps, roles: createRoles(deps), signingKeys, revocation });
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
    ...sessionRoutes(sessionDeps, gate),
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
  app.use(requestIds());
  app.use(async (c, next) => {
    c.set('startedAt', deps.steady());
    await next();
  });
  app.use(observeRequest(deps, observer));
  app.use(requestLog(deps));
  app.use(async (_, next) => {
    await next().catch((thrown: unknown) => {
      throw toError(thrown);
    });
  });
  const apiHeaders = secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } });
  const pageHeaders = new Map(
    [...endpoints, ...pages, ...docs, ...older].flatMap(({ contract: { path, contentSecurityPolicy } }) =>
      contentSecurityPolicy === undefined ? [] : [[path, secureHeaders({ contentSecurityPolicy })]],
    ),
  );
  app.use((c, next) => (pageHeaders.get(c.req.path) ?? apiHeaders)(c, next));
  app.use(crossOrigin(config, endpoints));
  app.use(refuseCrossSiteForms(config, endpoints));
  app.use(
    bodyLimit({
      maxSize: maximumBody,
      onError: () => {
        throw new Problem('body_too_large');
      },
    }),
  );
  app.onError((error, c) => answerProblem(c, toProblem(error, deps, c.get('requestId')), config.issuer));
  app.notFound((c) => answerProblem(c, new Problem('not_found'), config.issuer));
  mount(app, [...endpoints, ...older, ...pages, ...docs], gate, config.compatApis.length > 0);

  const scheduled = createScheduled(sessionDeps);
  const asOwnTrace = (name: string, work: () => Promise<unknown>) =>
    observer.trace(ownTrace, async () => {
      await work();
      return { name, kind: 'internal', attributes: {}, failed: false };
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
