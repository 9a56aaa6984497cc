import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { Config } from '../config.ts';

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** Everything a page may load and do: its own style and script, and its form. */
export const contentSecurityPolicy = {
  defaultSrc: ["'none'"],
  styleSrc: ["'self'"],
  scriptSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

/** The frame of every page. */
export const layout = (config: Pick<Config, 'serviceName'>, locale: string, title: string, content: Html): Html =>
  html`<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · ${config.serviceName}</title>
<link rel="stylesheet" href="/pages/style.css">
</head>
<body>
<main>
<p class="service">${config.serviceName}</p>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
