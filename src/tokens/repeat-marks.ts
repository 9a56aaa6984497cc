import type { Deps } from '../deps.ts';
import type { KeyValue, SetOperation } from '../kv.ts';
import { createMarks, markLifetime } from './marks.ts';
import {
  type ChangedRoles,
  type Page,
  readChangedRoles,
  readEndedSessions,
  readUserEndings,
  type UserEnding,
} from './store.ts';

/** How many are read by one statement. */
const readBatch = 5000;
/** How many are written in one round trip, and how many of those there are at a time. */
const writeBatch = 100;
const maxAtOnce = 4;

type Needs = Pick<Deps, 'config' | 'db' | 'kv' | 'now'>;

/**
 * Writes again the marks of sessions that ended a short while ago, and of roles that changed: for marks that a broken
 * store lost, and those that somebody could not write. Whatever ends a session leaves a row that says so.
 * @param progress told of each part that is written
 * @returns how many there are
 * @throws where not all are written
 */
export async function repeatMarks({ config, db, kv, now }: Needs, progress: () => void): Promise<number> {
  const ttl = markLifetime(config);
  const since = now() - ttl * 1000;
  const marks = createMarks(ttl, now);
  const userMark = ({ id, at, except }: UserEnding) => marks.user(id, at, except);
  const rolesMark = ({ id, changedAt }: ChangedRoles) => marks.roles(id, changedAt);
  const write = async (all: readonly SetOperation[]) => await writeMarks(kv, all, marks.since(), progress);
  const ended = await inPages(
    (page) => readEndedSessions(db, since, page),
    (rows) => write(rows.map(({ id }) => marks.session(id))),
  );
  // After the sessions: what a user's mark refuses has none of its own.
  const users = await inPages(
    (page) => readUserEndings(db, since, page),
    (rows, readAgain) => writeNewest(rows.map(userMark), async () => (await readAgain()).map(userMark), write),
  );
  const changed = await inPages(
    (page) => readChangedRoles(db, since, page),
    (rows, readAgain) => writeNewest(rows.map(rolesMark), async () => (await readAgain()).map(rolesMark), write),
  );
  const total = ended + users + changed;
  if (total === 0) await write([]);
  return total;
}

/**
 * Writes any number of marks, in parts that each have time of their own, a few of them at a time.
 * @param since goes before each part
 * @throws where not all are written
 */
export async function writeMarks(
  kv: Pick<KeyValue, 'run'>,
  all: readonly SetOperation[],
  since: SetOperation,
  progress: () => void = () => undefined,
): Promise<void> {
  const parts = Array.from({ length: Math.max(1, Math.ceil(all.length / writeBatch)) }, (_, n) =>
    all.slice(n * writeBatch, (n + 1) * writeBatch),
  );
  const waiting = parts.values();
  const work = async () => {
    for (const part of waiting) {
      await kv.run([since, ...part].map((mark) => ({ ...mark, unhurried: true })));
      progress();
    }
  };
  await Promise.all(Array.from({ length: maxAtOnce }, work));
}

type Write = (marks: readonly SetOperation[]) => Promise<void>;

/**
 * Writes marks that say when something happened. Their rows are read once more afterwards: a change in between may have
 * left a newer mark, which this one has replaced. What differs is written again, until nothing does.
 */
async function writeNewest(
  marks: readonly SetOperation[],
  readAgain: () => Promise<readonly SetOperation[]>,
  write: Write,
): Promise<void> {
  const written = new Map<string, string>();
  let left = marks;
  while (left.length > 0) {
    await write(left);
    for (const { key, value } of left) written.set(key, value);
    left = (await readAgain()).filter(({ key, value }) => written.get(key) !== value);
  }
}

/**
 * Goes through a list page by page.
 * @param take given the rows of a page, and how to read once more what there is in its place
 * @returns how many rows there are
 */
async function inPages<Row extends { readonly id: string }>(
  read: (page: Page) => Promise<readonly Row[]>,
  take: (rows: readonly Row[], readAgain: () => Promise<readonly Row[]>) => Promise<void>,
): Promise<number> {
  let after: string | undefined;
  let total = 0;
  for (;;) {
    const rows = await read({ after, limit: readBatch });
    const place = { after, through: rows.at(-1)?.id, limit: 2 * readBatch };
    await take(rows, () => read(place));
    total += rows.length;
    after = place.through;
    if (rows.length < readBatch) return total;
  }
}
