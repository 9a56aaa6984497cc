/** Turns `docs/*.md` into the pages of `/docs/NAME`, and copies the Markdown beside them. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Marked } from 'marked';
import { gfmHeadingId } from 'marked-gfm-heading-id';
import { guides } from '../src/pages/guides.ts';

const root = resolve(import.meta.dirname, '..');

const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Links between guides lose their `.md`, so that a reader stays among the pages. */
const pageOf = (href: string) => href.replace(/^([a-z-]+)\.md(?=#|$)/, '$1');

/** The body of a guide as HTML, with the same heading ids as GitHub has. */
export function renderGuide(markdown: string): string {
  const marked = new Marked({ async: false }, gfmHeadingId(), {
    walkTokens: (token) => {
      if (token.type === 'link') token.href = pageOf(token.href);
    },
  });
  return String(marked.parse(markdown));
}

function page(name: string, title: string, markdown: string): string {
  const entries = Object.entries(guides).map(
    ([each, { title: text }]) =>
      `<li><a href="${each}"${each === name ? ' aria-current="page"' : ''}>${escaped(text)}</a></li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · Edge Auth</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="../pages/guide.css">
<link rel="alternate" type="text/markdown" href="${name}.md">
</head>
<body>
<header><a href="index">Edge Auth</a> <a href="../docs">Swagger UI</a> <a href="../redoc">ReDoc</a> <a href="${name}.md">This page as Markdown</a></header>
<nav aria-label="Guides"><ul>
${entries.join('\n')}
</ul></nav>
<main>
${renderGuide(markdown)}</main>
</body>
</html>
`;
}

/** Every file of the guides: its path below `dist/docs`, and its text. */
export const guideFiles = (): { path: string; text: string }[] => [
  ...Object.entries(guides).flatMap(([name, { title }]) => {
    const text = readFileSync(join(root, 'docs', `${name}.md`), 'utf8');
    return [
      { path: `guides/${name}.md`, text },
      { path: `guides/${name}.html`, text: page(name, title, text) },
    ];
  }),
  { path: 'guides/guide.css', text: readFileSync(join(import.meta.dirname, 'guide.css'), 'utf8') },
];
