import type { Config } from '../config.ts';
import type { LinkKind } from '../config-links.ts';
import type { Mail } from '../mailer.ts';
import { codeLifetime, linkLifetimes } from './lifetimes.ts';
import { chooseLocale, wordsFor } from './locale.ts';
import type { MessageOf, MessageType } from './messages.ts';
import { type Page, toHtml } from './render-html.ts';

/**
 * Where the button of a mail leads. The token stands in the fragment, which browsers keep to themselves: it gets into no
 * server's log, no `Referer`, and no request of a scanner.
 */
const links: Partial<Record<MessageType, { readonly path: string; readonly kind: LinkKind }>> = {
  verify_email: { path: '/verify-email', kind: 'verify_email' },
  confirm_created_account: { path: '/verify-email', kind: 'verify_email' },
  confirm_registration: { path: '/confirm-registration', kind: 'verify_email' },
  reset_password: { path: '/reset-password', kind: 'reset_password' },
  choose_password: { path: '/choose-password', kind: 'reset_password' },
  finish_registration: { path: '/choose-password', kind: 'reset_password' },
  unconfirmed_account: { path: '/choose-password', kind: 'reset_password' },
  confirm_email_change: { path: '/confirm-email-change', kind: 'confirm_email_change' },
  email_changed: { path: '/undo-email-change', kind: 'undo_email_change' },
};

/** The address of the button: of our page, or of the operator's own where a template says so. */
function linkOf({ issuer, links: { templates } }: Needs, type: MessageType, data: Linked): MailLink | undefined {
  const link = links[type];
  if (link === undefined) return undefined;
  const hours = linkLifetimes[link.kind] / 3600;
  const redirectTo = encodeURIComponent(data.redirect_to ?? '');
  const own = templates[link.kind];
  if (own !== undefined) {
    const url = own.replace('{token}', () => data.token).replace('{redirect_to}', () => redirectTo);
    return { url, page: undefined, hours };
  }
  const page = `${issuer}${link.path}`;
  return { url: `${page}${redirectTo === '' ? '' : `?redirect_to=${redirectTo}`}#token=${data.token}`, page, hours };
}

interface MailLink {
  readonly url: string;
  /** Where a code can be entered. Of a page of the operator's own nobody knows that. */
  readonly page: string | undefined;
  /** How long it is good. */
  readonly hours: number;
}

interface Linked {
  readonly token: string;
  readonly redirect_to?: string | undefined;
}

type Needs = Pick<Config, 'issuer' | 'serviceName' | 'links'>;

/**
 * A message as it is sent: complete as text, and the same as HTML. The same input gives the same mail, so that whoever
 * takes mails can tell a repeated one.
 * @param wish the language; English where there are no words for it, or none any more
 */
export function renderMail<Type extends MessageType>(
  config: Needs,
  wish: string,
  type: Type,
  data: MessageOf<Type>,
): Omit<Mail, 'to'> {
  const { issuer, serviceName } = config;
  const locale = chooseLocale(wish);
  const { mails, parts } = wordsFor(locale);
  const service = oneLine(serviceName, 100);
  const resetPage = `${issuer}/forgot-password`;
  const words = mails[type]({ service, resetPage, email: 'email' in data ? oneLine(data.email, 254) : '' });
  const link = 'token' in data ? linkOf(config, type, data) : undefined;
  const facts: (readonly [label: string, value: string])[] = [[parts.when, formatTime(locale, data.at)]];
  if (data.address !== null) facts.push([parts.where, oneLine(data.address, 60)]);
  if (data.device !== null) facts.push([parts.device, plainDevice(data.device)]);
  const page: Page = {
    ...words,
    locale,
    facts,
    subject: oneLine(words.subject, 200),
    link:
      link === undefined || words.button === undefined
        ? undefined
        : { label: words.button, explanation: parts.link, url: link.url, lasts: parts.lasts(link.hours) },
    code: 'code' in data ? { explanation: parts.code(codeLifetime / 60, link?.page), code: data.code } : undefined,
    pages: [resetPage, ...(link?.page === undefined ? [] : [link.page])],
    footer: `${parts.footer(service)} ${issuer}`,
  };
  return { subject: page.subject, text: toText(page), html: toHtml(page) };
}

function toText({ heading, body, link, code, facts, otherwise, footer }: Page): string {
  const blocks = [
    heading,
    ...body,
    ...(link === undefined ? [] : [`${link.label}:\n${link.url}`, link.lasts]),
    ...(code === undefined ? [] : [`${code.explanation}\n${code.code}`]),
    facts.map(([label, value]) => `${label}: ${value}`).join('\n'),
    otherwise,
    // Mail programs know by this line where a signature begins (RFC 3676 section 4.3).
    `-- \n${footer}`,
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** UTC, since where the reader is, is not known. */
function formatTime(locale: string, at: number): string {
  const format = new Intl.DateTimeFormat(locale, {
    dateStyle: 'long',
    timeStyle: 'short',
    hourCycle: 'h23',
    timeZone: 'UTC',
  });
  return `${format.format(at)} UTC`;
}

/** A subject must not begin another header, nor a value another paragraph. */
const oneLine = (text: string, max: number) =>
  text
    .slice(0, max)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();

/**
 * What the browser said it is. Anybody can have a mail sent to anybody with words of their own here, so nothing may
 * remain that a mail program would show as a link: neither colons, slashes and @, nor a dot before a letter.
 */
const plainDevice = (text: string) =>
  oneLine(text.replaceAll(/[^\p{L}\p{N} ().,+_-]+/gu, ' ').replaceAll(/\.(?!\d)/g, ' '), 60);
