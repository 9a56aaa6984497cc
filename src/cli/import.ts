import { createReadStream } from 'node:fs';
import { parseArgs } from 'node:util';
import type { LineProblem } from '../accounts/import-schema.ts';
import { ConfigError } from '../config.ts';
import { refuseWrongSecret } from '../tokens/secret-guard.ts';
import { openImportDeps } from './import-deps.ts';
import { importLines } from './import-run.ts';
import { reason } from './reason.ts';

/** Lines after which it says how far it is. */
const PROGRESS = 5000;
const usage = 'Usage: npm run cli -- import [--dry-run] <file.ndjson, or - for standard input>';
/** What `--help` says. */
export const importUsage = `${usage}
  --dry-run  report what would happen, and write nothing`;

/**
 * Carries users over from NDJSON. Says what is wrong by line and field, and never a value.
 * @returns the exit code: 0 where every user is there now (or could be), 1 where lines were refused, 2 where it could
 *   not begin or broke off
 */
export async function importCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  output: Pick<Console, 'log' | 'error'> = console,
): Promise<number> {
  const given = readArguments(args);
  if (given === undefined) {
    output.error(usage);
    return 2;
  }
  const count = { lines: 0, imported: 0, present: 0, refused: 0 };
  const report = () => output.log(inWords(count, given.isDryRun));
  let deps: Awaited<ReturnType<typeof openImportDeps>> | undefined;
  try {
    deps = await openImportDeps(environment);
    await refuseWrongSecret(deps);
    for await (const { number, outcome } of importLines(deps, openInput(given.file), given.isDryRun)) {
      if (count.lines > 0 && count.lines % PROGRESS === 0) report();
      count.lines = number;
      if (typeof outcome !== 'string') {
        count.refused += 1;
        for (const problem of outcome) output.error(problemInWords(number, problem));
      } else if (outcome !== 'blank') count[outcome] += 1;
    }
    report();
    return count.refused === 0 ? 0 : 1;
  } catch (error) {
    if (count.lines > 0) report();
    output.error(error instanceof ConfigError ? error.message : `Stopped: ${reason(error, environment)}`);
    return 2;
  } finally {
    await deps?.close();
  }
}

function readArguments(args: readonly string[]): { file: string; isDryRun: boolean } | undefined {
  try {
    const options = { 'dry-run': { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [file] = positionals;
    return file === undefined || positionals.length > 1 ? undefined : { file, isDryRun: values['dry-run'] };
  } catch {
    return undefined;
  }
}

const openInput = (file: string): AsyncIterable<Uint8Array> => (file === '-' ? process.stdin : readFile(file));

/**
 * Opened when it is first read: a stream that fails while nobody listens ends the process.
 * @throws {UnreadableFile}
 */
async function* readFile(file: string): AsyncGenerator<Uint8Array, void> {
  try {
    yield* createReadStream(file);
  } catch (error) {
    throw new UnreadableFile(file, error);
  }
}

class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';

  constructor(file: string, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    super(`The file ${file} cannot be read${code}`);
  }
}

function inWords(count: Readonly<Record<'lines' | 'imported' | 'present' | 'refused', number>>, isDryRun: boolean) {
  const { lines, imported, present, refused } = count;
  return `${lines} lines: ${imported} ${isDryRun ? 'to import' : 'imported'}, ${present} already here, ${refused} refused`;
}

const problemInWords = (line: number, { field, message }: LineProblem) =>
  `line ${line}: ${field === undefined ? '' : `${field}: `}${message}`;
