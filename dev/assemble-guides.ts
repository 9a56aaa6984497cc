/** Turns `docs/*.md` into the pages of `/docs/NAME`, copies the Markdown beside them, and lists both in `/llms.txt`. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Marked } from 'marked';
import { gfmHeadingId } from 'marked-gfm-heading-id';
import { guideNames } from '../src/pages/guides.ts';
import { guides } from './guides.ts';

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
  const entries = guideNames.map((each) => {
    const current = each === name ? ' aria-current="page"' : '';
    return `<li><a href="${each}"${current}>${escaped(guides[each].title)}</a></li>`;
  });
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

/** The list for language models, in the format of llmstxt.org. Its links are relative to `/`. */
const llmsText = (): string => `# Edge Auth

> An authentication service: people register and sign in over a JSON API, and other services verify their RS256 access
> tokens with a JWKS. It runs on Cloudflare Workers and on Node.

## API

- [OpenAPI 3.1](openapi.json): Every operation with examples, errors, limits and headers.

## Docs

${guideNames.map((name) => `- [${guides[name].title}](docs/${name}.md): ${guides[name].about}`).join('\n')}
`;

/** Records of decisions are not served, so a served guide keeps the text of a link to one, and "(why)" disappears. */
const withoutDecisions = (markdown: string) =>
  markdown.replace(/\s\(\[why\]\(decisions\/[^)]*\)\)/g, '').replace(/\[([^\][]+)\]\(decisions\/[^)]*\)/g, '$1');

/** Every file of the guides: its path below `dist/docs`, and its text. */
export const guideFiles = (): { path: string; text: string }[] => [
  ...guideNames.flatMap((name) => {
    const text = withoutDecisions(readFileSync(join(root, 'docs', `${name}.md`), 'utf8'));
    return [
      { path: `guides/${name}.md`, text },
      { path: `guides/${name}.html`, text: page(name, guides[name].title, text) },
    ];
  }),
  { path: 'guides/llms.txt', text: llmsText() },
  { path: 'guides/guide.css', text: readFileSync(join(import.meta.dirname, 'guide.css'), 'utf8') },
];
