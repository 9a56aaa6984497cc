import type { Row } from './takeover-rows.ts';

/** As a sentence names them. */
const named = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replace('create-admin --mail', '`create-admin --mail`');

/** Who types the address, as the guides say it. */
const typists: Readonly<Record<string, string>> = {
  'a registrant': 'A registrant, with verification',
  'a registrant, unverified': 'A registrant, without verification',
  'an import': 'An import',
  'an admin': 'An admin, `POST /admin/users`',
  'create-admin': '`create-admin`',
  'another user': 'Another user, who changes the address',
};
const typist = (typed: string) => typists[typed] ?? typed;

/** What of an outcome shows who can sign in. */
const whoSignsIn = (outcome: string) =>
  outcome === 'nobody, no password'
    ? 'nobody'
    : outcome
        .replace(/^.*, no password$/, 'none')
        .replace(/^.*: /, '')
        .replace(' once it is verified', '*')
        .replace(' as an admin', ' (admin)');

const table = (head: readonly string[], lines: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const groups = (rows: readonly Row[]) => Map.groupBy(rows, ({ stands }) => stands);

/** All combinations in one table, for the security model: which password signs in afterwards. */
export function takeoverMatrix(rows: readonly Row[]): string {
  const typed = [...new Set(rows.map((row) => row.typed))];
  const lines = [...groups(rows)].map(([stands, group]) => [
    named(stands),
    ...typed.map((who) =>
      group
        .filter((row) => row.typed === who)
        .map(({ pressed, reset }) => `${whoSignsIn(pressed)} / ${whoSignsIn(reset)}`)
        .join(),
    ),
  ]);
  return table(['What stands there', ...typed.map(typist)], lines);
}

/** A chapter for each thing that can stand there, with everything that follows. */
export function takeoverChapters(rows: readonly Row[]): string {
  const head = [
    'Who types the address',
    'Answer',
    'Mail to the address',
    'After its button',
    'After "forgot password"',
  ];
  return [...groups(rows)]
    .map(([stands, group]) => {
      const lines = group.map(({ typed, answer, mail, pressed, reset }) => {
        return [typist(typed), answer, mail === 'no mail' ? 'none' : mail, pressed, reset];
      });
      return `## ${named(stands)}\n\n${table(head, lines)}`;
    })
    .join('\n\n');
}
