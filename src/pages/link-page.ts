import { html } from 'hono/html';
import type { Config } from '../config.ts';
import { chooseLocale, wordsFor } from '../email/locale.ts';
import type { PageWords } from '../email/words.ts';
import { type ProblemCode, problems } from '../errors.ts';
import { type Html, layout } from './layout.ts';

/** The pages that links of mails lead to. */
export const linkPages = [
  'verify_email',
  'confirm_registration',
  'reset_password',
  'choose_password',
  'confirm_email_change',
  'undo_email_change',
] as const;
export type LinkPage = (typeof linkPages)[number];

/** The pages that send another mail. */
export const requestPages = ['resend_verification', 'forgot_password'] as const;
export type RequestPage = (typeof requestPages)[number];

/** Where a page leads for another mail; the others begin in the application. */
const nextMail: Readonly<Record<LinkPage, RequestPage | undefined>> = {
  verify_email: 'resend_verification',
  confirm_registration: 'resend_verification',
  reset_password: 'forgot_password',
  choose_password: 'forgot_password',
  confirm_email_change: undefined,
  undo_email_change: 'forgot_password',
};

export interface View<Page extends LinkPage | RequestPage = LinkPage> {
  readonly config: Pick<Config, 'serviceName' | 'passwordMinLength'>;
  readonly page: Page;
  /** The `Accept-Language` header. */
  readonly languages: string | undefined;
  /** Where people go on, as it was asked for and is allowed. */
  readonly redirectTo: string | undefined;
  /** That, or the address of the application; undefined where neither is known. */
  readonly onward: string | undefined;
}

type AnyView = View<LinkPage | RequestPage>;

export const pathOf = (page: LinkPage | RequestPage) => page.replaceAll('_', '-');

function wordsOf({ languages }: Pick<AnyView, 'languages'>): { locale: string; words: PageWords } {
  const locale = chooseLocale(languages);
  return { locale, words: wordsFor(locale).pages };
}

const alertOf = (problem: string | undefined, faults: readonly string[] = []): Html =>
  problem === undefined
    ? html``
    : html`<div role="alert"><p>${problem}</p>${faults.map((fault) => html`<p lang="en">${fault}</p>`)}</div>`;

const hidden = (name: string, value: string | undefined): Html =>
  value === undefined ? html`` : html`<input type="hidden" name="${name}" value="${value}">\n`;

/** @param autocomplete `username` beside a password, which password managers then keep under the address */
const emailField = (
  words: PageWords,
  value = '',
  autocomplete: 'email' | 'username' = 'email',
): Html => html`<label for="email">${words.email}</label>
<input id="email" name="email" type="email" autocomplete="${autocomplete}" value="${value}">
`;

/** The next step: on or back to the application. Where its address is not known, the page is the end. */
function nextStep({ config, onward }: AnyView, words: PageWords, label: 'onward' | 'back'): Html {
  return onward === undefined
    ? html`<p>${words.close}</p>`
    : html`<a class="button" href="${onward}">${words[label](config.serviceName)}</a>`;
}

/** What a form holds when it comes back, and what was wrong with the last try. */
interface FormState {
  readonly token: string;
  readonly email?: string;
  readonly code?: string;
  readonly problem?: string;
  readonly faults?: readonly string[];
  /** Whether another mail may be what is needed. */
  readonly offersMail?: boolean;
}

/**
 * The form with the button. Opening it consumes nothing.
 * @param state what is known already, and what was wrong with the last try
 */
export function formPage(view: View, state: FormState = { token: '' }): Html {
  const { config, page, redirectTo } = view;
  const { locale, words } = wordsOf(view);
  const { title, intro, button } = words[page];
  const setsPassword = page === 'reset_password' || page === 'choose_password';
  const password = setsPassword
    ? html`<label for="password">${words.newPassword}</label>
<input id="password" name="password" type="password" autocomplete="new-password" required aria-describedby="hint">
<small id="hint">${words.passwordHint(config.passwordMinLength)}</small>
<label class="show" hidden><input type="checkbox"> ${words.showPassword}</label>`
    : html``;
  const code =
    page === 'undo_email_change'
      ? html``
      : html`<details${state.email === undefined ? '' : html` open`}>
<summary>${words.useCode}</summary>
${emailField(words, state.email, setsPassword ? 'username' : 'email')}<label for="code">${words.code}</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" maxlength="20" value="${state.code ?? ''}">
</details>`;
  const content = html`<p>${intro}</p>
${alertOf(state.problem, state.faults)}<form method="post">
${hidden('token', state.token)}${hidden('redirect_to', redirectTo)}${password}${code}<button>${button}</button>
</form>
${state.offersMail === true ? mailLink(view, words) : html``}<script src="pages/link.js"></script>`;
  return layout(config, locale, title, content);
}

/** The way to another mail, where this page has one. */
function mailLink({ page, redirectTo }: View, words: PageWords): Html {
  const next = nextMail[page];
  if (next === undefined) return html``;
  const query = redirectTo === undefined ? '' : `?${new URLSearchParams({ redirect_to: redirectTo })}`;
  return html`<p class="next"><a href="${pathOf(next)}${query}">${words.newEmail}</a></p>\n`;
}

/** The form that asks for another mail. @param problem what was wrong with the last try */
export function requestPage(view: View<RequestPage>, email = '', problem?: string): Html {
  const { locale, words } = wordsOf(view);
  const { title, intro } = words[view.page];
  const content = html`<p>${intro}</p>
${alertOf(problem)}${requestForm(view, email)}`;
  return layout(view.config, locale, title, content);
}

function requestForm(view: View<RequestPage>, email = ''): Html {
  const { words } = wordsOf(view);
  return html`<form method="post" action="${pathOf(view.page)}">
${hidden('redirect_to', view.redirectTo)}${emailField(words, email)}<button>${words[view.page].button}</button>
</form>`;
}

/** What is shown once it is done, with the next step. @param text what was done, where it is not what the page is for */
export function donePage(view: AnyView, text?: (words: PageWords) => string): Html {
  const { locale, words } = wordsOf(view);
  const { doneTitle, done } = words[view.page];
  const said = text === undefined ? done : text(words);
  const waits = view.page === 'forgot_password' || view.page === 'resend_verification';
  const next = nextStep(view, words, waits ? 'back' : 'onward');
  return layout(view.config, locale, doneTitle, html`<p role="status">${said}</p>\n${next}`);
}

/** What is shown where a link does not work, or no longer: with a way to another mail, or on to the application. */
export function expiredPage(view: View): Html {
  const { locale, words } = wordsOf(view);
  const { expired } = words[view.page];
  const page = nextMail[view.page];
  const next = page === undefined ? nextStep(view, words, 'back') : requestForm({ ...view, page });
  return layout(view.config, locale, words.expiredTitle, html`<p role="alert">${expired}</p>\n${next}`);
}

/** What is shown where it cannot be done at all. */
export function refusedPage(view: AnyView, problem: (words: PageWords) => string): Html {
  const { locale, words } = wordsOf(view);
  const content = html`<p role="alert">${problem(words)}</p>\n${nextStep(view, words, 'back')}`;
  return layout(view.config, locale, words.takenTitle, content);
}

/** What to do about a problem that has no page of its own. Faults of the request are not told as ours. */
export const sayWhy = (view: AnyView, code: ProblemCode): string =>
  say(view, (words) => {
    if (code === 'rate_limited') return words.rate_limited;
    if (problems[code].status >= 500) return words.failed;
    return requestPages.some((page) => page === view.page) ? words.notAnAddress : words.missingProof;
  });

/** The words of the page's language for one problem. */
export const say = (view: Pick<AnyView, 'languages'>, problem: (words: PageWords) => string): string =>
  problem(wordsOf(view).words);
