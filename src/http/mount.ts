import type { Hono } from 'hono';
import { Problem } from '../errors.ts';
import type { Admission } from './admission.ts';
import type { Env, RequestContext } from './context.ts';
import type { Endpoint } from './endpoint.ts';
import type { Serve } from './serve.ts';

/** Parameters as the router writes them. */
const routeOf = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1');

/**
 * Mounts endpoints; a known path with another method is answered 405 with `Allow`, an unknown one 404.
 * @param serve surrounds every answer with what all of them have
 * @param redirectsSlashes whether such a path with a slash behind it leads there, as FastAPI has it. A redirect and no
 * second name: what a proxy keeps from a path, it must not find open at another
 */
export function mount(
  app: Hono<Env>,
  endpoints: readonly Endpoint[],
  { admission, serve, redirectsSlashes }: { admission: Admission; serve: Serve; redirectsSlashes: boolean },
): void {
  const allowed = new Map<string, string[]>();
  for (const { contract, handle } of endpoints) {
    const { method, anyRequest } = contract;
    const path = routeOf(contract.path);
    const answer = serve(contract, (c) => handle(c, admission));
    if (anyRequest === true) {
      app.all(path, answer);
      app.all(`${path}/*`, answer);
    } else {
      const methods = method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()];
      app.on(method.toUpperCase(), path, answer);
      allowed.set(contract.path, [...(allowed.get(contract.path) ?? []), ...methods]);
    }
  }
  for (const [path, methods] of allowed) {
    if (redirectsSlashes && path !== '/') app.all(`${routeOf(path)}/`, serve({}, withoutSlash));
    const Allow = methods.join(', ');
    const refuse = () => {
      throw new Problem('method_not_allowed', { headers: { Allow } });
    };
    app.all(routeOf(path), serve({ path }, refuse));
  }
  app.notFound(
    serve({}, () => {
      throw new Problem('not_found');
    }),
  );
}

/** Relative, since the service may stand below a path of its host. 307 keeps the method and the body. */
function withoutSlash(c: RequestContext): Response {
  const { pathname, search } = new URL(c.req.url);
  c.set('reason', 'a slash at the end');
  return c.body(null, 307, { Location: `../${pathname.split('/').at(-2) ?? ''}${search}` });
}
