// On Node only: it reads files.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { guideFiles, renderGuide } from '../dev/assemble-guides.ts';
import { guides } from '../dev/guides.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const pages = globSync('docs/*.md', { cwd: root }).toSorted();
const decisions = globSync('docs/decisions/*.md', { cwd: root }).toSorted();
const documents = [...pages, ...decisions, ...globSync(['*.md', 'examples/*/*.md'], { cwd: root })];

/** The targets of links and images, with the `href` as it is written. */
const linksOf = (file: string) =>
  [...renderGuide(read(file)).matchAll(/(?:href|src)="([^"]+)"/g)]
    .map(([, href = '']) => href)
    .filter((href) => !/^[a-z]+:/.test(href))
    .map((href) => {
      const [path = '', heading] = href.split('#');
      // The renderer takes the ending off links between guides.
      const named = /^[a-z-]+$/.test(path) && !existsSync(join(root, dirname(file), path)) ? `${path}.md` : path;
      return { href, target: path === '' ? file : normalize(join(dirname(file), named)), heading };
    });

describe('the README', () => {
  it('has at most 120 lines', () => {
    expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(120);
  });

  it('links to the index of the documentation', () => {
    expect(linksOf('README.md').map(({ target }) => target)).toContain('docs/index.md');
  });
});

describe('the decisions', () => {
  it('are numbered without gaps, and the index lists each with its title', () => {
    const index = read('docs/decisions/README.md');
    const records = decisions.filter((file) => !file.endsWith('README.md'));
    expect(records.length).toBeGreaterThan(10);
    for (const [position, file] of records.entries()) {
      const number = position + 1;
      expect(file).toContain(`/${String(number).padStart(4, '0')}-`);
      const text = read(file);
      const title = /^# (\d+)\. (.+)\n/.exec(text);
      expect(title?.[1]).toBe(String(number));
      expect(index).toContain(`\n${number}. [${title?.[2]}](${file.split('/').at(-1)})\n`);
      for (const part of ['Context', 'Decision', 'Consequences']) expect(text).toContain(`\n## ${part}\n`);
    }
  });
});

describe('the documents', () => {
  it.each(documents)('%s links to files and headings that exist', (file) => {
    for (const { href, target, heading } of linksOf(file)) {
      expect([href, existsSync(join(root, target))]).toEqual([href, true]);
      if (heading === undefined) continue;
      expect([href, renderGuide(read(target)).includes(`id="${heading}"`)]).toEqual([href, true]);
    }
  });

  it('in docs/ link to one another and to decisions only', () => {
    for (const file of pages) {
      for (const { href, target } of linksOf(file))
        expect([file, href, [...pages, ...decisions].includes(target)]).toEqual([file, href, true]);
    }
  });

  it('are served without links to decisions, which are not served', () => {
    expect(read('docs/architecture.md')).toContain('](decisions/');
    const leading = guideFiles().filter(({ text }) => /\]\(decisions\/|href="[^"]*decisions\/|\(why\)/.test(text));
    expect(leading.map(({ path }) => path)).toEqual([]);
  });

  it('in docs/ are all served, under the title that they begin with', () => {
    expect(pages).toEqual(
      Object.keys(guides)
        .map((name) => `docs/${name}.md`)
        .toSorted(),
    );
    for (const [name, { title }] of Object.entries(guides)) expect(read(`docs/${name}.md`)).toMatch(`# ${title}\n`);
  });

  it('in docs/ are all in the index, each with its sentence', () => {
    const index = read('docs/index.md');
    for (const [name, { title, about }] of Object.entries(guides)) {
      if (name !== 'index') expect(index).toContain(`| [${title}](${name}.md) | ${about} |`);
    }
  });
});
