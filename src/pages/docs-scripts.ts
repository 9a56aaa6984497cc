/**
 * Shows the document in Swagger UI. It is given the document itself and no address, so that no parameter of the page can
 * name another one; and calls go to where the page came from, whatever address the service is known by.
 */
export const swaggerScript = `
const element = document.getElementById('docs');
const root = new URL(element.dataset.root || '.', location.href).href.replace(/[/]$/, '');
async function show() {
  const answer = await fetch(root + '/openapi.json');
  if (!answer.ok) throw new Error(answer.status);
  const spec = await answer.json();
  const [{ url: issuer }] = spec.servers;
  spec.servers = [{ url: root }];
  for (const { flows } of Object.values(spec.components.securitySchemes)) {
    for (const flow of Object.values(flows || {})) flow.tokenUrl = flow.tokenUrl.replace(issuer, root);
  }
  SwaggerUIBundle({
    spec,
    domNode: element,
    presets: [SwaggerUIBundle.presets.apis],
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    queryConfigEnabled: false,
    validatorUrl: null,
  });
}
show().catch(() => {
  element.textContent = 'The description of the API could not be loaded. Try again.';
});
`;

/** Shows the document in ReDoc, in the fonts of the system. */
export const redocScript = `
const element = document.getElementById('docs');
const root = new URL(element.dataset.root || '.', location.href);
const fontFamily = 'system-ui, sans-serif';
Redoc.init(
  new URL('openapi.json', root).href,
  {
    hideDownloadButton: false,
    requiredPropsFirst: true,
    theme: { typography: { fontFamily, headings: { fontFamily } } },
  },
  element,
);
`;

export const docsStyles = `
:root { color-scheme: light; }
body { margin: 0; background: #fff; font-family: system-ui, sans-serif; }
nav { display: flex; gap: 1.25rem; padding: .75rem 1.25rem; border-bottom: 1px solid #d5dae3; }
nav a { color: #1f55c4; }
`;
