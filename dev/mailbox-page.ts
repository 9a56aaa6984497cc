import type { ServerResponse } from 'node:http';
import type { Message } from './mailbox.ts';

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
article { border: 1px solid #ccc; border-radius: 6px; padding: 0 1rem 1rem; margin: 1rem 0; }
h2 { font-size: 1.1rem; margin: 1rem 0 0; } p { margin: 0; color: #555; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; } iframe { width: 100%; height: 24rem; border: 1px solid #ccc; }
`;

/** No script runs, on the page or in an email, and nothing is loaded: an email's frame inherits this policy. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Lets the links of an email work: inside its frame they lead nowhere. */
const newTabs = '<base target="_blank">';

/** Answers with the inbox as a page for people. Everything in an email is a stranger's text: escaped, or sandboxed. */
export function inboxPage(response: ServerResponse, messages: readonly Message[]): void {
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  const list = messages.length === 0 ? '<p>No messages yet. Reload to look again.</p>' : messages.map(article).join('');
  response.end(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Mailbox (${messages.length})</title><style>${style}</style></head>
<body><h1>Mailbox</h1>${list}</body></html>`);
}

function article(message: Message): string {
  const frame =
    message.html === ''
      ? ''
      : `<iframe title="HTML part" sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="${escapeHtml(newTabs + message.html)}"></iframe>`;
  return `<article><h2>${escapeHtml(message.subject)}</h2>
<p>to ${escapeHtml(message.to)}, <time datetime="${escapeHtml(message.at)}">${escapeHtml(message.at)}</time></p>
<pre>${withLinks(message.text)}</pre>${frame}</article>`;
}

function withLinks(text: string): string {
  return text
    .split(/(https?:\/\/[^\s<>"']+)/)
    .map((part, index) =>
      index % 2 === 1
        ? `<a href="${escapeHtml(part)}" target="_blank" rel="noreferrer">${escapeHtml(part)}</a>`
        : escapeHtml(part),
    )
    .join('');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
