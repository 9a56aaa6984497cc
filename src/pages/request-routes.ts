import * as z from 'zod';
import { type EmailAddress, normaliseEmail } from '../accounts/email.ts';
import { readIdentifier } from '../accounts/identifier.ts';
import { mailHits, mailLimits } from '../accounts/mail-limits.ts';
import { resendVerification } from '../accounts/resend-verification.ts';
import { forgotPassword } from '../accounts/reset-password.ts';
import type { Call } from '../call.ts';
import { askedHeaders } from '../http/asked.ts';
import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';
import type { SessionDeps } from '../sessions/sessions.ts';
import { contentSecurityPolicy } from './layout.ts';
import { donePage, pathOf, type RequestPage, requestPage, requestPages, say, sayWhy } from './link-page.ts';
import { withProblemPages } from './problem-pages.ts';
import { viewOf } from './view.ts';

const noStore = { 'Cache-Control': 'no-store' };
const form = z.object({ email: z.string().max(512).default(''), redirect_to: z.string().max(4000).optional() });

type Ask = (deps: SessionDeps, email: EmailAddress, redirectTo: string | undefined, call: Call) => Promise<void>;

/** What each asks for, and under which name it counts: the same as at the API. */
const requests: Readonly<Record<RequestPage, { readonly kind: string; readonly ask: Ask }>> = {
  resend_verification: {
    kind: 'resend',
    ask: (deps, email, redirectTo, call) => resendVerification(deps, { email, redirect_to: redirectTo }, call),
  },
  forgot_password: {
    kind: 'forgot',
    ask: async (deps, email, redirectTo, call) =>
      await forgotPassword(deps, await readIdentifier(deps, email.address), redirectTo, call),
  },
};

/** The pages where people ask for another mail. Whether an account has the address shows nowhere in the answer. */
export const requestRoutes = (deps: SessionDeps): Endpoint[] =>
  requestPages.flatMap((page) => {
    const { kind, ask } = requests[page];
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
      limits: mailLimits,
      prepare: async ({ body, call }) => {
        const email = normaliseEmail(body.email);
        const keys = email === undefined ? [] : [(await readIdentifier(deps, email.address)).limitKey];
        return { hits: await mailHits(call, kind, ...keys), subject: email };
      },
      handler: async ({ c, body, call }, email) => {
        const view = viewOf(deps, page, c, body.redirect_to);
        const problem = say(view, ({ notAnAddress }) => notAnAddress);
        if (email === undefined) return c.html(requestPage(view, body.email, problem), 422, noStore);
        await ask(deps, email, view.redirectTo, call);
        return c.html(donePage(view), 200, { ...noStore, ...(await askedHeaders(deps, email.key)) });
      },
    });
    return [
      endpoint({
        ...shown,
        method: 'get',
        operationId: `${page}_page`,
        summary: 'A page',
        prepare: unlimited,
        handler: ({ c }) => c.html(requestPage(viewOf(deps, page, c)), 200, noStore),
      }),
      withProblemPages(deps, post, ({ code }, c, sent) => {
        const view = viewOf(deps, page, c, sent.get('redirect_to') ?? undefined);
        return requestPage(view, (sent.get('email') ?? '').slice(0, 320), sayWhy(view, code));
      }),
    ];
  });
