import { html } from 'hono/html';
import type { Config } from '../config.ts';
import { chooseLocale, wordsFor } from '../email/locale.ts';
import type { PageWords } from '../email/words.ts';
import { type Html, layout } from './layout.ts';

/** The pages that links of mails lead to. */
export type LinkPage = 'verify_email' | 'reset_password' | 'confirm_email_change' | 'undo_email_change';

interface View {
  readonly config: Pick<Config, 'serviceName' | 'passwordMinLength'>;
  readonly page: LinkPage;
  /** The `Accept-Language` header. */
  readonly languages: string | undefined;
}

const pathOf = (page: LinkPage) => `/${page.replaceAll('_', '-')}`;

function wordsOf({ languages }: Pick<View, 'languages'>): { locale: string; words: PageWords } {
  const locale = chooseLocale(languages);
  return { locale, words: wordsFor(locale).pages };
}

/**
 * The form with the button. Opening it consumes nothing.
 * @param state the token, where it is known already, and what was wrong with the last try
 */
export function formPage(
  view: View,
  state: { readonly token: string; readonly problem?: string; readonly faults?: readonly string[] } = { token: '' },
): Html {
  const { config, page } = view;
  const { locale, words } = wordsOf(view);
  const { title, intro, button } = words[page];
  const alert =
    state.problem === undefined
      ? html``
      : html`<div role="alert"><p>${state.problem}</p>${(state.faults ?? []).map((fault) => html`<p lang="en">${fault}</p>`)}</div>`;
  const password =
    page === 'reset_password'
      ? html`<label for="password">${words.newPassword}</label>
<input id="password" name="password" type="password" autocomplete="new-password" required aria-describedby="hint">
<small id="hint">${words.passwordHint(config.passwordMinLength)}</small>`
      : html``;
  const code =
    page === 'undo_email_change'
      ? html``
      : html`<details>
<summary>${words.useCode}</summary>
<label for="email">${words.email}</label>
<input id="email" name="email" type="email" autocomplete="email">
<label for="code">${words.code}</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" maxlength="20">
</details>`;
  const content = html`<p>${intro}</p>
${alert}<form method="post" action="${pathOf(page)}">
<input type="hidden" name="token" value="${state.token}">
${password}${code}<button>${button}</button>
</form>
<script src="/pages/link.js"></script>`;
  return layout(config, locale, title, content);
}

/** What is shown once it is done. */
export function donePage(view: View): Html {
  const { locale, words } = wordsOf(view);
  const { title, done } = words[view.page];
  return layout(view.config, locale, title, html`<p role="status">${done}</p>`);
}

/** What is shown where it cannot be done. */
export function problemPage(view: View, problem: (words: PageWords) => string): Html {
  const { locale, words } = wordsOf(view);
  return layout(view.config, locale, words[view.page].title, html`<p role="alert">${problem(words)}</p>`);
}

/** The words of the page's language for one problem. */
export const say = (view: Pick<View, 'languages'>, problem: (words: PageWords) => string): string =>
  problem(wordsOf(view).words);
