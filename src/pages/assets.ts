import { type Endpoint, endpoint, unlimited } from '../http/endpoint.ts';

/** Pages load these from here, so that their Content-Security-Policy allows nothing written into a page. */
const styles = `
:root { color-scheme: light dark; --ink: #1d2330; --paper: #fff; --line: #8a93a6; --accent: #1f55c4; --on: #fff; --bad: #a4161a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ebf2; --paper: #171b24; --line: #7c879c; --accent: #9dbcff; --on: #10182b; --bad: #ff9a9a; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; text-wrap: balance; }
p { margin: 0 0 1rem; }
label { display: block; font-weight: 600; margin: 0 0 .25rem; }
small { display: block; margin: .25rem 0 1rem; }
input { width: 100%; font: inherit; padding: .6rem .75rem; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: .5rem; margin-bottom: 1rem; }
input:has(+ small) { margin-bottom: 0; }
button, .button { display: block; width: 100%; font: inherit; font-weight: 600; padding: .7rem 1rem; border: 0; border-radius: .5rem;
  color: var(--on); background: var(--accent); cursor: pointer; text-align: center; text-decoration: none; }
:is(input, button, a, summary):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
summary { cursor: pointer; color: var(--accent); margin: 1rem 0; }
.show { display: flex; gap: .5rem; align-items: center; font-weight: 400; margin-bottom: 1rem; }
.show input { width: auto; margin: 0; }
.show[hidden] { display: none; }
.next { margin: 1rem 0 0; }
a { color: var(--accent); }
.button { color: var(--on); }
.service { font-weight: 600; margin-bottom: 2rem; }
[role=alert] { color: var(--bad); font-weight: 600; }
`;

/**
 * Moves the token of the link from the address bar into the form. It stands in the fragment, which browsers keep to
 * themselves: no server, log or Referer sees it. Nothing is sent before somebody presses the button.
 */
const script = `
const field = document.querySelector('input[name=token]');
const code = document.querySelector('details');
function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (field === null || token === null) return;
  field.value = token;
  history.replaceState(null, '', location.pathname + location.search);
}
takeToken();
// The link opened again in the same tab changes nothing but the fragment.
addEventListener('hashchange', takeToken);
if (code !== null && field !== null && field.value === '') code.open = true;
const password = document.getElementById('password');
const show = document.querySelector('.show');
if (password !== null && show !== null) {
  show.hidden = false;
  show.firstElementChild.addEventListener('change', ({ target }) => {
    password.type = target.checked ? 'text' : 'password';
  });
}
`;

const kept = { 'Cache-Control': 'public, max-age=3600' };

/** A text of ours that pages load. */
export const asset = (path: string, type: string, text: string): Endpoint =>
  endpoint({
    method: 'get',
    path,
    operationId: path.replace(/\W+/g, '_'),
    tag: 'Pages',
    summary: 'An asset of the pages',
    responses: { 200: { description: 'The text' } },
    errors: [],
    prepare: unlimited,
    handler: ({ c }) => c.body(text, 200, { ...kept, 'Content-Type': type }),
  });

export const assetRoutes = (): Endpoint[] => [
  asset('/pages/style.css', 'text/css; charset=utf-8', styles),
  asset('/pages/link.js', 'text/javascript; charset=utf-8', script),
];
