/**
 * Copies what the pages of the documentation load out of node_modules into `dist/docs`, where both runtimes read it, so
 * that a running service needs these few files and none of the packages. Puts the guides there too. `npm ci`, wrangler
 * and the tests run it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { docsFiles } from '../src/pages/docs-files.ts';
import { guideFiles } from './assemble-guides.ts';

const root = resolve(import.meta.dirname, '..');
const target = join(root, 'dist/docs');

/** Where ReDoc would load its maker's logo from. Without an image it shows none. */
const logo = 'https://cdn.redoc.ly/redoc/logo-mini.svg';

/** @throws where a package is not installed, or no longer holds what has to be replaced */
export function assembleDocs(): void {
  for (const { package: name, source, path } of docsFiles) {
    const original = readFileSync(join(root, 'node_modules', name, source), 'utf8');
    // Source maps are not copied, and developer tools would ask for them.
    const text = original.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
    write(join(target, path), source === 'bundles/redoc.standalone.js' ? withoutLogo(text) : text);
  }
  const guides = guideFiles();
  for (const { path, text } of guides) write(join(target, path), text);
  const current = new Set([...docsFiles, ...guides].map(({ path }) => dirname(path)));
  for (const entry of readdirSync(target)) {
    if (!current.has(entry)) rmSync(join(target, entry), { recursive: true });
  }
}

function withoutLogo(text: string): string {
  if (text.split(logo).length !== 2) throw new Error(`ReDoc no longer loads ${logo}. Check which address it loads now`);
  return text.replace(logo, 'data:,');
}

/** Others may read it, or write the same, at the same time. */
function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  try {
    if (readFileSync(file, 'utf8') === text) return;
  } catch {
    // Not there yet.
  }
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, text);
  renameSync(fresh, file);
}

/**
 * What `wrangler dev` says where it is run by itself and nothing names a database for the Worker: it runs this file first.
 * Undefined where it can go on.
 */
function missingForWrangler(): string | undefined {
  const isOurs = (name: string) => name === 'EDGE_AUTH_PARTS' || name.startsWith('CLOUDFLARE_HYPERDRIVE_LOCAL_');
  if (process.env['WRANGLER_COMMAND'] !== 'dev' || Object.keys(process.env).some(isOurs)) return undefined;
  const names = ['.dev.vars', '.env'].some((file) => {
    const path = join(root, file);
    return existsSync(path) && Object.hasOwn(parseEnv(readFileSync(path, 'utf8')), 'DATABASE_URL');
  });
  return names
    ? undefined
    : 'Run `npm run dev` instead, which starts a Postgres and a mailbox beside the Worker, or name a database as DATABASE_URL in .dev.vars.';
}

if (import.meta.main) {
  assembleDocs();
  const missing = missingForWrangler();
  // No failure, of which wrangler would print a page: the Worker says what is missing to each request.
  if (missing !== undefined) console.error(missing);
}
