import { type Problem, problems } from '../errors.ts';
import type { RequestContext } from '../http/context.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { toProblem } from '../http/on-error.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import type { Html } from './layout.ts';

/**
 * An endpoint that answers people: they read a page where programs read a problem.
 * @param page given the problem, and the fields of the form as far as they can be read
 */
export const withProblemPages = (
  deps: SessionDeps,
  endpoint: Endpoint,
  page: (problem: Problem, c: RequestContext, sent: URLSearchParams) => Html,
): Endpoint => ({
  ...endpoint,
  handle: async (c, admission) => {
    try {
      return await endpoint.handle(c, admission);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const problem = toProblem(error, deps, c.get('requestId'));
      c.set('reason', problem.details.reason ?? problem.code);
      for (const [name, value] of Object.entries(problem.details.headers ?? {})) c.header(name, value);
      const bytes = await c.req.arrayBuffer().catch(() => new ArrayBuffer());
      const sent = new URLSearchParams(new TextDecoder().decode(bytes));
      return c.html(page(problem, c, sent), problems[problem.code].status, { 'Cache-Control': 'no-store' });
    }
  },
});
