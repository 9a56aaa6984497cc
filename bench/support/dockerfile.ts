import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

export interface Stage {
  readonly image: string;
  /** A directory that stands for `/` of the image. */
  readonly root: string;
  /** Absolute in the image. */
  workdir: string;
  user: string;
  readonly environment: Record<string, string>;
  command: readonly string[];
  healthcheck: readonly string[];
}

/** Instructions, continued lines joined, without comments. */
function parse(text: string): { name: string; rest: string }[] {
  return text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^\s*(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), rest: rest.trim() };
    });
}

/** The files that `.dockerignore` lets through: the last pattern that fits decides. */
function contextOf(directory: string): Set<string> {
  const patterns = readFileSync(join(directory, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (patterns.shift() !== '*') throw new Error('.dockerignore has to begin with *: nothing is let through unasked');
  const files = patterns.flatMap((pattern) => {
    if (!pattern.startsWith('!')) throw new Error(`.dockerignore: cannot read ${pattern}`);
    const found = globSync(pattern.slice(1), { cwd: directory });
    if (found.length === 0) throw new Error(`.dockerignore lets ${pattern} through, which is not there`);
    return found.flatMap((path) =>
      statSync(join(directory, path)).isDirectory()
        ? globSync('**', { cwd: join(directory, path) }).map((file) => join(path, file))
        : [path],
    );
  });
  return new Set(files.filter((file) => statSync(join(directory, file)).isFile()));
}

/**
 * Runs a Dockerfile's instructions in order, each stage in a directory of its own, with what the machine has instead of
 * the image. It knows the instructions that ours has, and refuses others.
 * @param into where the directories of the stages are made
 * @returns the last stage
 */
export function runDockerfile(directory: string, into: string): Stage {
  const context = contextOf(directory);
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const { name, rest } of parse(readFileSync(join(directory, 'Dockerfile'), 'utf8'))) {
    console.log(`${name} ${rest}`);
    if (name === 'FROM') {
      const [image = '', , label = String(stages.size)] = rest.split(/\s+/);
      const root = mkdtempSync(join(into, 'stage-'));
      stage = { image, root, workdir: '/', user: 'root', environment: {}, command: [], healthcheck: [] };
      stages.set(label, stage);
      continue;
    }
    if (stage === undefined) throw new Error('The Dockerfile does not begin with FROM');
    instruct(stage, name, rest, { directory, context, stages });
  }
  if (stage === undefined) throw new Error('The Dockerfile is empty');
  return stage;
}

interface Surroundings {
  readonly directory: string;
  readonly context: ReadonlySet<string>;
  readonly stages: ReadonlyMap<string, Stage>;
}

function instruct(stage: Stage, name: string, rest: string, around: Surroundings): void {
  const inside = (path: string) => join(stage.root, resolve(stage.workdir, path));
  switch (name) {
    case 'WORKDIR':
      stage.workdir = resolve(stage.workdir, rest);
      mkdirSync(inside('.'), { recursive: true });
      break;
    case 'ENV':
      for (const [, key = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) stage.environment[key] = value;
      break;
    case 'COPY':
      copy(rest, inside, around);
      break;
    case 'RUN':
      execFileSync('/bin/sh', ['-c', rest], {
        cwd: inside('.'),
        stdio: 'inherit',
        env: { ...process.env, ...stage.environment },
      });
      break;
    case 'USER':
      stage.user = rest;
      break;
    case 'CMD':
      stage.command = JSON.parse(rest);
      break;
    case 'HEALTHCHECK':
      stage.healthcheck = JSON.parse(rest.slice(rest.indexOf('[')));
      break;
    case 'EXPOSE':
    case 'STOPSIGNAL':
      break;
    default:
      throw new Error(`This check does not know ${name}`);
  }
}

function copy(rest: string, inside: (path: string) => string, around: Surroundings): void {
  const words = rest.split(/\s+/);
  const from = /^--from=(.+)$/.exec(words[0] ?? '')?.[1];
  if (from !== undefined) words.shift();
  const target = words.pop() ?? '';
  for (const source of words) {
    if (from !== undefined) {
      const root = around.stages.get(from)?.root;
      if (root === undefined) throw new Error(`There is no stage ${from}`);
      cpSync(join(root, source), inside(target), { recursive: true, verbatimSymlinks: true });
      continue;
    }
    const found = [...around.context].filter((file) => file === source || file.startsWith(`${source}/`));
    if (found.length === 0) throw new Error(`${source} is not in the context`);
    for (const file of found) {
      const isDirectory = file !== source;
      const to = isDirectory
        ? join(target, relative(source, file))
        : target.endsWith('/')
          ? join(target, basename(file))
          : target;
      mkdirSync(dirname(inside(to)), { recursive: true });
      cpSync(join(around.directory, file), inside(to));
      if (!existsSync(inside(to))) throw new Error(`${file} was not copied`);
    }
  }
}
