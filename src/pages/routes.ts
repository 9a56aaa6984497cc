import * as z from 'zod';
import { confirmEmailChange, undoEmailChange } from '../accounts/change-email.ts';
import { normaliseEmail } from '../accounts/email.ts';
import { proofHits, proofLimits } from '../accounts/mail-routes.ts';
import type { MailProof } from '../accounts/one-time-tokens.ts';
import { newPassword } from '../accounts/password.ts';
import { resetPassword } from '../accounts/reset-password.ts';
import { verifyEmail } from '../accounts/verify-email.ts';
import type { Call } from '../call.ts';
import { Problem, problems } from '../errors.ts';
import { invalid } from '../http/body.ts';
import type { RequestContext } from '../http/context.ts';
import { deviceHeaders } from '../http/device.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import { toProblem } from '../http/on-error.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { assetRoutes } from './assets.ts';
import { contentSecurityPolicy } from './layout.ts';
import { donePage, formPage, type LinkPage, problemPage, say } from './link-page.ts';

const noStore = { 'Cache-Control': 'no-store' };
const field = z.string().max(512).default('');
const form = z.object({ token: field, email: field, code: field, password: field });
type Form = z.output<typeof form>;

/** What a page does once its button is pressed. Gives further headers of the answer. */
type Action = (
  deps: SessionDeps,
  proof: MailProof,
  body: Form,
  call: Call,
) => Promise<Readonly<Record<string, string>>>;

const actions: Readonly<Record<LinkPage, Action>> = {
  verify_email: async (deps, proof, _, call) => {
    await verifyEmail(deps, proof, call);
    return {};
  },
  reset_password: async (deps, proof, { password }, call) => {
    const parsed = newPassword(deps.config).safeParse(password);
    if (parsed.error !== undefined) throw invalid(parsed.error);
    const { deviceToken } = await resetPassword(deps, { proof, password: parsed.data }, call);
    return deviceHeaders(deps.config, deviceToken);
  },
  confirm_email_change: async (deps, proof, _, call) => {
    await confirmEmailChange(deps, proof, call);
    return {};
  },
  undo_email_change: async (deps, proof, _, call) => {
    await undoEmailChange(deps, 'token' in proof ? proof.token : '', call);
    return {};
  },
};

/** The token of the link, or the code with its address; undefined where neither is whole. */
function proofOf({ token, email, code }: Form): MailProof | undefined {
  const address = normaliseEmail(email);
  if (address !== undefined && code !== '') return { email: address, code };
  return token === '' ? undefined : { token };
}

function linkPage(deps: SessionDeps, page: LinkPage, action: Action): Endpoint[] {
  const { config } = deps;
  const path = `/${page.replaceAll('_', '-')}`;
  const shown = {
    path,
    tag: 'Pages',
    contentSecurityPolicy,
    responses: { 200: { description: 'The page' } },
    errors: [],
  } as const;
  const viewOf = (c: RequestContext) => ({ config, page, languages: c.req.header('Accept-Language')?.slice(0, 200) });

  const post = endpoint({
    ...shown,
    method: 'post',
    operationId: `${page}_page_sent`,
    summary: 'The button of a page',
    body: form,
    form: true,
    limits: proofLimits,
    prepare: async ({ body, call }) => {
      const proof = proofOf(body);
      return { hits: await proofHits(deps, proof ?? { token: '' }, call), subject: proof };
    },
    handler: async ({ c, body, call }, proof) => {
      const view = viewOf(c);
      const again = (status: 422, problem: string, faults: readonly string[] = []) =>
        c.html(formPage(view, { token: body.token, problem, faults }), status, noStore);
      if (proof === undefined)
        return again(
          422,
          say(view, ({ missingProof }) => missingProof),
        );
      try {
        const headers = await action(deps, proof, body, call);
        return c.html(donePage(view), 200, { ...noStore, ...headers });
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'validation_failed') throw error;
        const faults = (error.details.errors ?? []).map(({ message }) => message);
        return again(
          422,
          say(view, ({ weakPassword }) => weakPassword),
          faults,
        );
      }
    },
  });

  return [
    endpoint({
      ...shown,
      method: 'get',
      operationId: `${page}_page`,
      summary: 'A page',
      prepare: unlimited,
      handler: ({ c }) => c.html(formPage(viewOf(c)), 200, noStore),
    }),
    {
      ...post,
      // People read a page where programs read a problem.
      handle: async (c, gate) => {
        try {
          return await post.handle(c, gate);
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          const problem = toProblem(error, deps, c.get('requestId'));
          c.set('reason', problem.details.reason ?? problem.code);
          for (const [name, value] of Object.entries(problem.details.headers ?? {})) c.header(name, value);
          const { status } = problems[problem.code];
          return c.html(
            problemPage(viewOf(c), (words) => textOf(problem, words)),
            status,
            noStore,
          );
        }
      },
    },
  ];
}

function textOf({ code }: Problem, words: Parameters<Parameters<typeof problemPage>[1]>[0]): string {
  return code === 'link_expired' || code === 'identifier_taken' || code === 'rate_limited' ? words[code] : words.failed;
}

/** The pages that people see: where the links of mails lead. */
export function pageRoutes(deps: SessionDeps): Endpoint[] {
  const pages: readonly LinkPage[] = ['verify_email', 'reset_password', 'confirm_email_change', 'undo_email_change'];
  return [...assetRoutes(), ...pages.flatMap((page) => linkPage(deps, page, actions[page]))];
}
