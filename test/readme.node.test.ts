// On Node only: it reads files.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compatApis } from '../src/compat/apis.ts';
import { compatNames } from '../src/compat/names.ts';
import { lockouts, policies } from '../src/limits/policies.ts';

const read = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8');

describe('docs/moving.md', () => {
  const text = read('docs/moving.md');

  it('says of every older path what it is here', () => {
    for (const name of compatNames) {
      expect(text).toContain(`\n## ${name}\n`);
      for (const { method, path } of compatApis[name].rows) {
        expect(text).toContain(`| \`${method.toUpperCase()} ${path}\` |`);
      }
    }
  });

  it('lists every older variable', () => {
    const known = [...read('src/config-legacy.ts').matchAll(/'([A-Z]+_[A-Z_]+|DEBUG)'/g)].map(([, name]) => name);
    expect(known.length).toBeGreaterThan(20);
    for (const name of known) expect(text).toContain(`\`${name}\``);
  });
});

describe('docs/configuration.md', () => {
  const document = read('docs/configuration.md');

  it('lists every variable that the configuration reads, and no other', () => {
    const source = read('src/config-variables.ts') + read('src/config-links.ts');
    const known = [...source.matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(([, name]) => name);
    expect(known.length).toBeGreaterThan(20);
    const rows = (text: string) => [...text.matchAll(/^\| `([A-Z0-9_]+)` +\|/gm)].map(([, name]) => name);
    const listed = rows(document);
    // DATA_DIR belongs to the embedded database, which only the entries know.
    expect(listed.filter((name) => name !== 'DATA_DIR').toSorted()).toEqual(known.toSorted());
    // Once, and not once more where people look first.
    expect(rows(read('README.md'))).toEqual([]);
  });

  it('states the limits as they are', () => {
    const text = document.replace(/\s+/g, ' ');
    for (const [name, { limit, window }] of Object.entries(policies)) {
      expect(text).toContain(`\`${name}\` ${limit} ${window === 60 ? 'a minute' : 'in an hour'}`);
      expect([60, 3600]).toContain(window);
    }
    for (const [name, { failures, pause, longestPause, memory }] of Object.entries(lockouts)) {
      expect(text).toContain(`\`${name}\` is \`${failures}/${pause}/${longestPause}/${memory}\``);
    }
  });
});
