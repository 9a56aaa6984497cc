/**
 * `npm run check:docs-pages`: uses /docs and /redoc in Debian's Chromium, against `npm start` and against `npm run dev`,
 * as somebody would who reads them for the first time, follows a link to the guides, and has Redocly's linter read
 * /openapi.json. With `-- --picture` it also draws the picture of the README.
 */
import { join, resolve } from 'node:path';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { type Browser, chromium } from 'playwright-core';
import { useGuides, useRedoc, useSwaggerUi } from './support/docs-pages-steps.ts';
import { startService } from './support/live-service.ts';
import { drawPicture } from './support/picture.ts';

const root = resolve(import.meta.dirname, '..');
const picture = process.argv.includes('--picture') ? join(root, 'docs/images/edge-auth.png') : undefined;

/** Health and the key set are there, whoever asks; and it is on this machine that the service runs here. */
const rules = { 'operation-4xx-response': 'off', 'no-server-example.com': 'off' } as const;

async function lint(base: string): Promise<void> {
  const source = await (await fetch(`${base}/openapi.json`)).text();
  const config = await createConfig({ extends: ['recommended'], rules });
  const found = async (text: string) => {
    const problems = await lintFromString({ source: text, config });
    return problems.map(({ ruleId, message, location: [place] }) => `${ruleId} ${place?.pointer}: ${message}`);
  };
  const problems = await found(source);
  if (problems.length > 0) throw new Error(`Redocly's linter: ${problems.join('\n')}`);
  const broken = await found(source.replace('"#/components/schemas/User"', '"#/components/schemas/Nobody"'));
  if (broken.length === 0) throw new Error("Redocly's linter finds no fault where there is one");
}

async function check(browser: Browser, script: 'start' | 'dev', port: number): Promise<void> {
  await using service = await startService(script, port);
  const { base } = service;
  const answer = await useSwaggerUi(browser, base);
  console.log(`npm run ${script}: Swagger UI signs in, and what it got answers GET /users/me`);
  await useRedoc(browser, base);
  console.log(`npm run ${script}: ReDoc finds an operation`);
  await useGuides(browser, base);
  console.log(`npm run ${script}: the guides are reached from the API, and link to one another`);
  if (picture !== undefined) await drawPicture(browser, base, answer, picture);
  // Last, since it keeps this process busy for a while, in which connections that are kept run out.
  await lint(base);
  console.log(`npm run ${script}: /openapi.json passes Redocly's linter`);
}

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    // Chromium has no sandbox for root.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
  ],
});
try {
  await check(browser, 'start', 8795);
  await check(browser, 'dev', 8793);
} finally {
  await browser.close();
}
