import * as z from 'zod';
import { confirmEmailChange } from '../accounts/change-email.ts';
import { normaliseEmail } from '../accounts/email.ts';
import { proofLimits } from '../accounts/mail-limits.ts';
import type { MailProof, TypedProof } from '../accounts/one-time-tokens.ts';
import { newPassword } from '../accounts/password.ts';
import { prepareProof } from '../accounts/proof-routes.ts';
import { resetPassword } from '../accounts/reset-password.ts';
import { undoEmailChange } from '../accounts/undo-email-change.ts';
import { verifyEmail } from '../accounts/verify-email.ts';
import type { Call } from '../call.ts';
import { Problem } from '../errors.ts';
import { invalid } from '../http/body.ts';
import { deviceHeaders } from '../http/device.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { ownWords } from '../validation.ts';
import { assetRoutes } from './assets.ts';
import { contentSecurityPolicy } from './layout.ts';
import {
  donePage,
  expiredPage,
  formPage,
  type LinkPage,
  linkPages,
  pathOf,
  refusedPage,
  say,
  sayWhy,
} from './link-page.ts';
import { withProblemPages } from './problem-pages.ts';
import { requestRoutes } from './request-routes.ts';
import { viewOf } from './view.ts';

const noStore = { 'Cache-Control': 'no-store' };
const field = z.string().max(512).default('');
const form = z.object({
  token: field,
  email: field,
  code: field,
  password: z.string().max(1024).default(''),
  redirect_to: z.string().max(4000).optional(),
});
type Form = z.output<typeof form>;
const blank = form.parse({});

/** What a page does once its button is pressed. Gives further headers of the answer, and what was done where it is not the usual. */
type Action = (
  deps: SessionDeps,
  proof: MailProof,
  body: Form,
  call: Call,
) => Promise<{ readonly headers?: Readonly<Record<string, string>>; readonly hadBeenDone?: boolean }>;

const verify: Action = async (deps, proof, _, call) => ({
  hadBeenDone: (await verifyEmail(deps, proof, call)) === 'before',
});

const choosePassword: Action = async (deps, proof, { password }, call) => {
  const parsed = newPassword(deps.config).safeParse(password, { error: ownWords });
  if (parsed.error !== undefined) throw invalid(parsed.error);
  const { deviceToken } = await resetPassword(deps, { proof, password: parsed.data }, call);
  return { headers: deviceHeaders(deps.config, deviceToken) };
};

const actions: Readonly<Record<LinkPage, Action>> = {
  verify_email: verify,
  confirm_registration: verify,
  reset_password: choosePassword,
  choose_password: choosePassword,
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
function proofOf({ token, email, code }: Form): TypedProof | undefined {
  const address = normaliseEmail(email);
  if (address !== undefined && code !== '') return { email: address, code };
  return token === '' ? undefined : { token };
}

/** What comes back in a form that has to be sent again: all but the password. */
const typed = ({ token, email, code }: Form) => (email + code === '' ? { token } : { token, email, code });

function linkPage(deps: SessionDeps, page: LinkPage, action: Action): Endpoint[] {
  const shown = {
    path: `/${pathOf(page)}`,
    tag: 'Pages',
    contentSecurityPolicy,
    responses: { 200: { description: 'The page' } },
    errors: [],
  } as const;

  const post = endpoint({
    ...shown,
    method: 'post',
    operationId: `${page}_page_sent`,
    summary: 'Submit the form of a page',
    body: form,
    form: true,
    limits: proofLimits,
    prepare: async ({ c, body, call }) => {
      const proof = proofOf(body);
      const { hits, subject } = await prepareProof(deps, c, proof ?? { token: '' }, call);
      return { hits, subject: proof && subject };
    },
    handler: async ({ c, body, call }, proof) => {
      const view = viewOf(deps, page, c, body.redirect_to);
      const again = (problem: string, faults: readonly string[] = []) =>
        c.html(formPage(view, { ...typed(body), problem, faults }), 422, noStore);
      if (proof === undefined) return again(say(view, ({ missingProof }) => missingProof));
      try {
        const { headers = {}, hadBeenDone = false } = await action(deps, proof, body, call);
        const text = hadBeenDone ? donePage(view, (words) => words.alreadyVerified) : donePage(view);
        return c.html(text, 200, { ...noStore, ...headers });
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'validation_failed') throw error;
        const faults = (error.details.errors ?? []).map(({ message }) => message);
        return again(
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
      handler: ({ c }) => c.html(formPage(viewOf(deps, page, c)), 200, noStore),
    }),
    withProblemPages(deps, post, ({ code }, c, sent) => {
      const view = viewOf(deps, page, c, sent.get('redirect_to') ?? undefined);
      const fields = form.catch(blank).parse(Object.fromEntries(sent));
      if (code === 'link_expired') {
        const proof = proofOf(fields);
        if (proof === undefined || 'token' in proof) return expiredPage(view);
        // Nothing else is wrong with the form, and the right code still works.
        const problem = say(view, ({ wrongCode }) => wrongCode);
        return formPage(view, { ...typed(fields), code: '', problem, offersMail: true });
      }
      if (code === 'identifier_taken') return refusedPage(view, (words) => words.identifier_taken);
      return formPage(view, { ...typed(fields), problem: sayWhy(view, code) });
    }),
  ];
}

/** The pages that people see: where the links of mails lead, and where another mail can be asked for. */
export function pageRoutes(deps: SessionDeps): Endpoint[] {
  return [
    ...assetRoutes(),
    ...linkPages.flatMap((page) => linkPage(deps, page, actions[page])),
    ...requestRoutes(deps),
  ];
}
