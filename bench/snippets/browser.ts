import { createServer } from 'node:http';
import { type Browser, chromium } from 'playwright-core';

/** Where Chromium is, if it is here. */
export const browserPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** A page in Chromium, of another origin than the service, with an API beside it. */
export interface Site {
  readonly origin: string;
  /** Loads a text as a module, and runs statements that may use `module`. @returns what they return */
  readonly run: (module: string, statements: string) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/**
 * Serves the page. `/api` answers requests with a good token, and `/late` does too, but takes the first token that it sees
 * for an expired one.
 * @param isGood asks the service about an `Authorization` header
 */
export async function openSite(isGood: (authorization: string) => Promise<boolean>): Promise<Site> {
  let served = '';
  let expired: string | undefined;
  const server = createServer(async (request, response) => {
    const { url, headers } = request;
    if (url === '/module.mjs') {
      response.setHeader('Content-Type', 'text/javascript');
      response.end(served);
    } else if (url === '/api' || url === '/late') {
      const authorization = headers.authorization ?? '';
      if (url === '/late') expired ??= authorization;
      const isExpired = url === '/late' && authorization === expired;
      response.statusCode = !isExpired && (await isGood(authorization).catch(() => false)) ? 200 : 401;
      response.end();
    } else {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><link rel="icon" href="data:,">');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  let browser: Browser | undefined;
  return {
    origin,
    run: async (module, statements) => {
      // Chromium has no sandbox for root.
      browser ??= await chromium.launch({
        executablePath: browserPath,
        args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
      });
      served = module;
      expired = undefined;
      const page = await browser.newPage();
      await page.goto(origin);
      const result = await page.evaluate(`import('/module.mjs').then(async (module) => { ${statements} })`);
      await page.close();
      return result;
    },
    close: async () => {
      await browser?.close();
      server.close();
      server.closeAllConnections();
    },
  };
}
