import type { Browser, Page } from 'playwright-core';

const password = 'correct horse battery staple';

/**
 * A page that nothing may go wrong on: no script fails, the policy refuses nothing, and nothing is asked of others.
 * @returns what went wrong so far
 */
async function open(browser: Browser, base: string, path: string): Promise<{ page: Page; wrong: () => string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  page.setDefaultTimeout(60_000);
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrong.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`script: ${error.message}`));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== base && protocol !== 'data:') wrong.push(`request: ${request.url()}`);
  });
  await page.goto(`${base}${path}`);
  return { page, wrong: () => wrong };
}

function expectNothing(wrong: readonly string[], where: string): void {
  if (wrong.length > 0) throw new Error(`${where}: ${wrong.join('\n')}`);
}

/** What a script would do that got into the page. */
const intruder = `new Promise((resolve) => {
  const script = document.createElement('script');
  script.textContent = 'document.title = "ran"';
  const place = document.createElement('div');
  place.innerHTML = '<img src="data:," onerror="document.title = \\'ran\\'">';
  document.body.append(script, place);
  setTimeout(() => resolve(document.title), 300);
})`;

/** The policy keeps it from that. */
async function expectPolicy(page: Page): Promise<void> {
  if ((await page.evaluate(intruder)) === 'ran') throw new Error('A script written into the page ran');
}

/**
 * Signs in in the dialog, and asks who that is; then the same with a token that is pasted.
 * @returns a picture of the answer, as PNG
 */
export async function useSwaggerUi(browser: Browser, base: string): Promise<Buffer> {
  const email = `ann-${crypto.randomUUID().slice(0, 8)}@example.com`;
  const registered = await fetch(`${base}/auth/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password, name: 'Ann' }),
  });
  if (registered.status !== 201) throw new Error(`Not registered: ${registered.status}`);
  const { access_token: token }: { access_token: string } = await registered.json();

  // Neither parameter may have a say.
  const { page, wrong } = await open(browser, base, '/docs?url=https://evil.example/a.json&configUrl=//evil.example/b');
  await page.getByRole('heading', { name: /^Edge Auth/ }).waitFor();
  const dialog = page.getByRole('dialog').or(page.locator('.modal-ux'));
  const openDialog = async () => {
    await page.locator('.scheme-container button.authorize').click();
    return dialog.first();
  };
  const closeDialog = async () => await page.locator('.modal-ux .btn-done').first().click();

  await openDialog();
  await page.locator('#oauth_username').fill(email);
  await page.locator('#oauth_password').fill(password);
  await page
    .locator('.auth-container', { has: page.locator('#oauth_username') })
    .getByRole('button', { name: /^Apply/ })
    .click();
  await page
    .locator('.modal-ux')
    .getByRole('button', { name: /Remove/ })
    .waitFor();
  await closeDialog();

  const operation = page.locator('#operations-Accounts-me');
  await operation.locator('.opblock-summary-control').click();
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await expectAnswer(operation, email, 200);
  await operation.scrollIntoViewIfNeeded();
  const picture = await page.screenshot();

  await openDialog();
  await page
    .locator('.modal-ux')
    .getByRole('button', { name: /Remove/ })
    .click();
  await closeDialog();
  await expectAnswer(operation, 'invalid_token', 401);
  await openDialog();
  // There is one for metrics, too.
  const bearer = page.locator('.auth-container', { hasText: 'bearer (http' });
  await bearer.locator('input').fill(token);
  await bearer.getByRole('button', { name: /^Apply/ }).click();
  await closeDialog();
  await expectAnswer(operation, email, 200);

  const refused = wrong().filter((line) => !line.endsWith('the server responded with a status of 401 (Unauthorized)'));
  expectNothing(refused, '/docs');
  await expectPolicy(page);
  await page.close();
  return picture;
}

/** Presses Execute, and waits for an answer of this status that holds a text. */
async function expectAnswer(operation: ReturnType<Page['locator']>, text: string, status: number): Promise<void> {
  const answer = operation.locator('.live-responses-table');
  if ((await answer.count()) > 0) await operation.getByRole('button', { name: 'Clear' }).click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  await answer.locator('.response-col_status', { hasText: String(status) }).waitFor();
  await answer.getByText(text).first().waitFor();
}

/** Looks for an operation, and goes to it. */
export async function useRedoc(browser: Browser, base: string): Promise<void> {
  const { page, wrong } = await open(browser, base, '/redoc?spec-url=https://evil.example/a.json&url=//evil.example/b');
  await page.getByRole('heading', { name: /^Edge Auth/ }).waitFor();
  await page.getByPlaceholder('Search...').fill('change password');
  const found = page.getByRole('search').getByText('Change the password', { exact: true });
  await found.click();
  await page.getByRole('heading', { name: 'Change the password' }).waitFor();
  await page.getByPlaceholder('Search...').fill('');
  await page.waitForTimeout(500);
  expectNothing(wrong(), '/redoc');
  await expectPolicy(page);
  await page.close();
}

/** Reads a guide, and follows a link from the page of the API to it and from there to another guide. */
export async function useGuides(browser: Browser, base: string): Promise<void> {
  const { page, wrong } = await open(browser, base, '/docs');
  await page.getByRole('link', { name: 'Guides' }).click();
  await page.getByRole('heading', { name: 'Documentation' }).waitFor();
  await page.getByRole('main').getByRole('link', { name: 'Security model' }).click();
  await page.getByRole('heading', { name: 'Security model', exact: true }).waitFor();
  const font = await page.evaluate('getComputedStyle(document.body).display');
  if (font !== 'grid') throw new Error('The guides have no style');
  expectNothing(wrong(), '/docs/security');
  await expectPolicy(page);
  await page.close();
}
