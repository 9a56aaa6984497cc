import type * as z from 'zod';
import type { Call, Caller } from '../call.ts';
import { Problem, type ProblemCode } from '../errors.ts';
import type { AttemptResult } from '../kv-attempts.ts';
import type { Attempt } from '../limits/lockout.ts';
import type { PolicyName } from '../limits/policies.ts';
import type { Hit } from '../limits/rate-limit.ts';
import type { Permission } from '../roles/permissions.ts';
import type { Admission } from './admission.ts';
import { type BodyReading, parseBody } from './body.ts';
import type { RequestContext } from './context.ts';
import type { Contract } from './contract.ts';
import { doLater } from './later.ts';
import { noting, originOf } from './note-refusal.ts';
import { isOutage } from './on-error.ts';
import { parseParams, parseQuery } from './parameters.ts';

/** A request whose parts are parsed. `C` is the caller where the endpoint needs one, else undefined. */
export interface Input<Body, C extends Caller | undefined, Params, Query> {
  readonly c: RequestContext;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: C;
  readonly call: Call;
}

/** A request that was let in. */
interface Admitted<Body, C extends Caller | undefined, Params, Query> extends Input<Body, C, Params, Query> {
  /** How its attempt was counted. */
  readonly tried: AttemptResult;
}

/** What a request counts against, and what was found out about it on the way. */
export interface Prepared<Subject, Limit extends PolicyName> {
  readonly hits: readonly Hit<Limit>[];
  /** Where it is a guess at somebody's secret. */
  readonly attempt?: Attempt;
  readonly subject: Subject;
}

interface GuardedDefinition<Body, Subject, Params, Query, Limit extends PolicyName>
  extends Definition<Body, Caller, Subject, Params, Query, Limit> {
  /** Needs a caller who has proved who they are in the last minutes. */
  readonly sensitive?: boolean;
  /** Needs a caller with a role that holds it. */
  readonly permission?: Permission;
}

interface Definition<Body, C extends Caller | undefined, Subject, Params, Query, Limit extends PolicyName>
  extends Contract,
    BodyReading {
  readonly limits?: readonly Limit[];
  /** Of the path. What does not fit is answered 404. */
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** Costs no round trip: it runs before the limits are counted. */
  readonly prepare: (
    input: Input<Body, C, Params, Query>,
  ) => Prepared<Subject, NoInfer<Limit>> | Promise<Prepared<Subject, NoInfer<Limit>>>;
  readonly handler: (input: Admitted<Body, C, Params, Query>, subject: Subject) => Response | Promise<Response>;
}

/** How a request of an older API is read, before it goes the way of all others. */
export interface Translation extends BodyReading {
  /** What it counts against besides. */
  readonly hits: (call: Call) => Promise<readonly Hit[]>;
}

/** An endpoint whose types have been checked, ready to be mounted. */
export interface Endpoint {
  readonly contract: Contract &
    BodyReading & {
      readonly params?: z.ZodType;
      readonly query?: z.ZodType;
      readonly body?: z.ZodType | undefined;
      readonly permission?: Permission;
    };
  readonly handle: (c: RequestContext, admission: Admission, translation?: Translation) => Promise<Response>;
}

/** Counts nothing: for endpoints that cost nearly nothing, or limit by other means. */
export const unlimited = (): Prepared<undefined, never> => ({ hits: [], subject: undefined });

/** An endpoint that anybody may call. */
export function endpoint<
  Subject,
  Body = undefined,
  Params = undefined,
  Query = undefined,
  Limit extends PolicyName = never,
>(definition: Definition<Body, undefined, Subject, Params, Query, Limit>): Endpoint {
  return {
    contract: definition,
    handle: (c, admission, translation) =>
      noting(c, admission, undefined, () => run(definition, c, admission, undefined, translation)),
  };
}

/** An endpoint that needs a caller: a valid access token that was not revoked. */
export function guardedEndpoint<
  Subject,
  Body = undefined,
  Params = undefined,
  Query = undefined,
  Limit extends PolicyName = never,
>(definition: GuardedDefinition<Body, Subject, Params, Query, Limit>): Endpoint {
  const { sensitive = false, permission, errors } = definition;
  const forbidden: ProblemCode[] = permission === undefined ? [] : ['forbidden'];
  const reauthentication: ProblemCode[] = sensitive ? ['reauthentication_required'] : [];
  const all: ProblemCode[] = ['invalid_token', ...reauthentication, ...forbidden, ...errors];
  return {
    contract: { ...definition, security: 'bearer', errors: all },
    handle: async (c, admission, translation) => {
      const caller = await admission.identify(c.req.header('Authorization'));
      return await noting(c, admission, caller, async () => {
        if (permission !== undefined) await admission.requirePermission(caller, permission);
        if (sensitive) admission.requireRecent(caller);
        return await run(definition, c, admission, caller, translation);
      });
    },
  };
}

async function run<Body, C extends Caller | undefined, Subject, Params, Query, Limit extends PolicyName>(
  definition: Definition<Body, C, Subject, Params, Query, Limit>,
  c: RequestContext,
  admission: Admission,
  caller: C,
  translation?: Translation,
): Promise<Response> {
  const later: (() => Promise<unknown>)[] = [];
  const call: Call = {
    origin: originOf(c),
    addressKey: () => admission.addressKey(c.env.clientAddress),
    languages: c.req.header('Accept-Language')?.slice(0, 200),
    startedAt: c.get('startedAt'),
    // Asked for where it matters: it makes the runtime build a whole Request.
    get signal() {
      return c.req.raw.signal;
    },
    after: (work) => void later.push(work),
  };
  const [params, query] = [parseParams(c, definition.params), parseQuery(c, definition.query)];
  const body = await parseBody(c, { ...definition, ...translation });
  const input = { c, params, query, body, caller, call };
  const { subject, ...prepared } = await definition.prepare(input);
  const counted = { ...prepared, hits: [...prepared.hits, ...((await translation?.hits(call)) ?? [])] };
  const { tried, refusal, giveBack } = await admission.admit(counted, caller, call, (headers) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
  });
  // Whatever comes next may be costly, and nobody waits for it any more.
  if (definition.method !== 'get' && call.signal.aborted) {
    c.executionCtx.waitUntil(admission.withdraw(counted));
    throw new Problem('client_closed_request');
  }
  const begin = async () => await definition.handler({ ...input, tried }, subject);
  const answer = refusal === undefined ? begin() : Promise.reject(refusal);
  // What did not happen uses up no limit.
  answer.catch((error: unknown) => isOutage(error) && c.executionCtx.waitUntil(giveBack()));
  // Workers drop what a request has under way when its client goes: a change must not stop halfway.
  const finish = () => doLater(later);
  const finishAny = () => void (later.length > 0 && c.executionCtx.waitUntil(finish()));
  if (definition.method !== 'get') c.executionCtx.waitUntil(answer.then(finish, finish));
  else void answer.then(finishAny, finishAny);
  return await answer;
}
