import type { Browser } from 'playwright-core';

const password = 'correct horse battery staple';

const dataOf = (image: Buffer) => `data:image/png;base64,${image.toString('base64')}`;

/** Takes a picture of a page in a window of this size, as a `data:` address. */
async function shot(browser: Browser, address: string, width: number, height: number): Promise<string> {
  const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: 2 });
  await page.goto(address, { waitUntil: 'networkidle' });
  const image = await page.screenshot();
  await page.close();
  return dataOf(image);
}

/**
 * Draws the picture of the README: a mail in the mailbox of development, the page behind its link, and the API.
 * @param api a picture of Swagger UI
 * @param path where the picture goes
 */
export async function drawPicture(browser: Browser, base: string, api: Buffer, path: string): Promise<void> {
  const email = 'ann@example.com';
  await fetch(`${base}/auth/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password, name: 'Ann' }),
  });
  const mailbox = base.replace(/\d+$/, (port) => String(Number(port) + 1));
  let link: string | undefined;
  for (let tries = 0; tries < 100 && link === undefined; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const mails: { to: string; text: string }[] = await (await fetch(`${mailbox}/messages.json`)).json();
    link = /http:\S+#token=\S+/.exec(mails.find(({ to }) => to === email)?.text ?? '')?.[0];
  }
  if (link === undefined) throw new Error('The mail of a registration did not arrive');
  const mail = await shot(browser, mailbox, 560, 620);
  const form = await shot(browser, link, 420, 420);
  const page = await browser.newPage({ viewport: { width: 1280, height: 640 } });
  await page.setContent(`<!doctype html><style>
    body { margin: 0; width: 1280px; height: 640px; overflow: hidden; position: relative;
      background: linear-gradient(135deg, #dbe6ff, #f2e9ff); }
    img { position: absolute; border-radius: 10px; box-shadow: 0 12px 40px #1d233055, 0 0 0 1px #1d233022; background: #fff; }
  </style>
  <img src="${dataOf(api)}" style="width: 720px; left: 528px; top: 40px">
  <img src="${mail}" style="width: 400px; left: 32px; top: 40px">
  <img src="${form}" style="width: 310px; left: 270px; top: 306px">`);
  await page.waitForFunction('[...document.images].every((image) => image.complete)');
  await page.screenshot({ path });
  await page.close();
}
