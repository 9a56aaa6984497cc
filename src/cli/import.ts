import { createReadStream } from 'node:fs';
import { readFile as readText } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { LineProblem } from '../accounts/import-schema.ts';
import { ConfigError } from '../config.ts';
import { refuseWrongSecret } from '../tokens/secret-guard.ts';
import { FormatError } from './import/format.ts';
import { formats } from './import/formats.ts';
import { openImportDeps } from './import-deps.ts';
import { type ImportOptions, importLines } from './import-run.ts';
import { reason } from './reason.ts';

/** Lines after which it says how far it is. */
const PROGRESS = 5000;
const usage = 'Usage: npm run cli -- import [--dry-run] [--from <system>] <file, or - for the standard input>';
/** What `--help` says. */
export const importUsage = `${usage}
The file is NDJSON with one user on each line, or with --from the export of another system.
  --dry-run             shows what an import would do, and writes nothing
  --from <system>       ${Object.keys(formats).join(', ')}
  --hash-config <file>  with --from firebase: the password hash parameters of its console
  --role theirs=ours    maps a role or group to a role of this service; repeat it for each
  --runtime <runtime>   node or workers: refuses hashes that the service there does not verify`;

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
    const hashConfig = given.hashConfig === undefined ? undefined : await readWhole(given.hashConfig);
    const what = given.format === undefined ? 'line' : 'user';
    for await (const { number, outcome, notes } of importLines(deps, openInput(given.file), { ...given, hashConfig })) {
      if (count.lines > 0 && count.lines % PROGRESS === 0) report();
      count.lines = number;
      if (typeof outcome !== 'string') {
        count.refused += 1;
        for (const problem of outcome) output.error(problemInWords(`${what} ${number}`, problem));
      } else if (outcome !== 'blank') count[outcome] += 1;
      for (const problem of notes) output.error(problemInWords(`${what} ${number}: note`, problem));
    }
    report();
    return count.refused === 0 ? 0 : 1;
  } catch (error) {
    if (count.lines > 0) report();
    output.error(
      error instanceof ConfigError || error instanceof FormatError
        ? error.message
        : `Stopped: ${reason(error, environment)}`,
    );
    return 2;
  } finally {
    await deps?.close();
  }
}

type Given = Omit<ImportOptions, 'hashConfig'> & { readonly file: string; readonly hashConfig: string | undefined };

/** @returns undefined for arguments that make no sense */
function readArguments(args: readonly string[]): Given | undefined {
  try {
    const options = {
      'dry-run': { type: 'boolean', default: false },
      from: { type: 'string' },
      'hash-config': { type: 'string' },
      role: { type: 'string', multiple: true },
      runtime: { type: 'string' },
    } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [file] = positionals;
    const { from, runtime } = values;
    const roleNames = new Map((values.role ?? []).map((pair): [string, string] => splitAtLast(pair)));
    const isFormat = from === undefined || Object.hasOwn(formats, from);
    const isRuntime = runtime === undefined || runtime === 'node' || runtime === 'workers';
    if (file === undefined || positionals.length > 1 || !isFormat || !isRuntime) return undefined;
    const format = from === undefined ? undefined : formats[from];
    return { file, format, runtime, roleNames, isDryRun: values['dry-run'], hashConfig: values['hash-config'] };
  } catch {
    return undefined;
  }
}

/** `theirs=ours`, of which theirs may hold anything. */
function splitAtLast(pair: string): [string, string] {
  const at = pair.lastIndexOf('=');
  if (at < 1) throw new TypeError('Expected --role theirs=ours');
  return [pair.slice(0, at), pair.slice(at + 1)];
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

/** @throws {UnreadableFile} */
async function readWhole(file: string): Promise<string> {
  try {
    return await readText(file, 'utf8');
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
  return `${lines} ${lines === 1 ? 'line' : 'lines'}: ${imported} ${isDryRun ? 'to import' : 'imported'}, ${present} already here, ${refused} refused`;
}

const problemInWords = (place: string, { field, message }: LineProblem) =>
  `${place}: ${field === undefined ? '' : `${field}: `}${message}`;
