// On Node only: it reads files.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rows } from './takeover-rows.ts';
import { takeoverChapters, takeoverMatrix } from './takeover-tables.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8');

// `npm run check:takeover -- --tables` prints both.
it('the security model shows every row of the takeover matrix, as the tests find it', () => {
  expect(read('security.md')).toContain(`\n\n${takeoverMatrix(rows)}\n\n`);
});

it('the page about takeovers holds the tables of all rows, and no others', () => {
  const page = read('takeover.md');
  expect(page.slice(page.indexOf('\n## ') + 1).trimEnd()).toBe(takeoverChapters(rows));
});

it('the tables name each combination once', () => {
  const cells = takeoverMatrix(rows)
    .split('\n')
    .slice(2)
    .flatMap((line) => line.split(' | ').slice(1));
  expect(cells).toHaveLength(rows.length);
  expect(cells.filter((cell) => !/^(\S+ ?\S*) \/ (\S+ ?\S*?)( \|)?$/.test(cell))).toEqual([]);
});
