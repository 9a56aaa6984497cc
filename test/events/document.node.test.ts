// On Node only: it reads a file.
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { eventsDocument, place } from '../../dev/events-document.ts';

it('docs/events.md is what `npm run docs:events` writes', async () => {
  expect(await readFile(place, 'utf8')).toBe(eventsDocument());
});
