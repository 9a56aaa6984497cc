import type { Hono } from 'hono';
import { Problem } from '../errors.ts';
import type { Gate } from '../sessions/authenticate.ts';
import type { Env, RequestContext } from './context.ts';
import type { Endpoint } from './endpoint.ts';

/** Parameters as the router writes them. */
const routeOf = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Mounts endpoints; a known path with another method is answered 405 with `Allow`. */
export function mount(app: Hono<Env>, endpoints: readonly Endpoint[], gate: Gate): void {
  const allowed = new Map<string, string[]>();
  for (const { contract, handle } of endpoints) {
    const { method, anyRequest } = contract;
    const path = routeOf(contract.path);
    const answer = (c: RequestContext) => {
      c.set('endpoint', contract.path);
      return handle(c, gate);
    };
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
    app.all(routeOf(path), (c) => {
      c.set('endpoint', path);
      throw new Problem('method_not_allowed', { headers: { Allow: methods.join(', ') } });
    });
  }
}
