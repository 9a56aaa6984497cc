/** What a mail consists of, as plain text. */
export interface Page {
  readonly locale: string;
  readonly subject: string;
  readonly heading: string;
  readonly body: readonly string[];
  readonly link:
    | { readonly label: string; readonly explanation: string; readonly url: string; readonly lasts: string }
    | undefined;
  readonly code: { readonly explanation: string; readonly code: string } | undefined;
  /** Addresses of our own pages, which are links wherever the words name them. */
  readonly pages: readonly string[];
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly otherwise: string;
  readonly footer: string;
}

/** Contrast at least 4.5 to 1 in both schemes (WCAG 2.2, 1.4.3). */
const style = `
:root{color-scheme:light dark;supported-color-schemes:light dark}
body{margin:0;padding:24px 16px;background:#ffffff;color:#1c1e21;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif}
main,footer{max-width:560px;margin:0 auto}
h1{font-size:22px;line-height:1.3;margin:0 0 16px}
p,dl{margin:0 0 16px}
dt{float:left;clear:left;margin-right:8px;font-weight:bold}
dd{margin:0}
a{color:#0b57d0;overflow-wrap:anywhere}
a.button{display:inline-block;padding:12px 20px;border-radius:6px;background:#0b57d0;color:#ffffff;font-weight:bold;text-decoration:none}
.code{font:bold 22px/1.4 ui-monospace,Menlo,Consolas,monospace;letter-spacing:2px}
footer{margin-top:32px;font-size:14px;color:#53575c}
@media (prefers-color-scheme:dark){body{background:#16181b;color:#e6e8ea}a{color:#9dc1ff}a.button{background:#9dc1ff;color:#10131a}footer{color:#a9aeb4}}
`;

/**
 * One HTML document that needs nothing from elsewhere: no images, no scripts, no fonts. Readable without its style, by
 * screen readers, and in the dark.
 */
export function toHtml({ locale, subject, heading, body, link, code, pages, facts, otherwise, footer }: Page): string {
  const paragraph = (text: string) => {
    const linked = (html: string, page: string) =>
      html.replaceAll(`${escaped(page)} `, `<a href="${escaped(page)}">${escaped(page)}</a> `);
    return `<p>${pages.reduce(linked, escaped(text))}</p>`;
  };
  const blocks = [
    `<h1>${escaped(heading)}</h1>`,
    ...body.map((text) => paragraph(text)),
    ...(link === undefined
      ? []
      : [
          `<p><a class="button" href="${escaped(link.url)}">${escaped(link.label)}</a></p>`,
          `<p>${escaped(link.explanation)}<br><a href="${escaped(link.url)}">${escaped(link.url)}</a></p>`,
          paragraph(link.lasts),
        ]),
    ...(code === undefined
      ? []
      : [paragraph(code.explanation), `<p class="code" translate="no">${escaped(code.code)}</p>`]),
    `<dl>${facts.map(([label, value]) => `<dt>${escaped(label)}</dt><dd>${escaped(value)}</dd>`).join('')}</dl>`,
    paragraph(otherwise),
  ];
  return `<!DOCTYPE html>
<html lang="${escaped(locale)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escaped(subject)}</title>
<style>${style}</style>
</head>
<body>
<main>
${blocks.join('\n')}
</main>
<footer>${paragraph(footer)}</footer>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
