import type { Writable } from 'node:stream';

/** So many characters wait for a reader of the log; lines that come then are dropped, and counted. */
const maxWaiting = 2 ** 20;

export interface LineWriter {
  /** Takes a line, which is written at the end of this turn of the event loop, together with all others of the turn. */
  readonly write: (line: string) => void;
  /** Writes all lines taken until now. */
  readonly flush: () => void;
}

/**
 * Writes lines to an output that may lose its reader, or have a slow one: the service outlives it, and keeps a bounded
 * part. Where lines were dropped, one line says how many when there is room again. A busy service writes once a turn and
 * not once a request, since each write is a call of the operating system.
 * @param dropped makes the line that says how many are missing
 */
export function createLineWriter(output: Writable, dropped: (lines: number) => string, max = maxWaiting): LineWriter {
  // Without a listener an output that was closed (EPIPE) ends the process.
  output.on('error', () => undefined);
  let missing = 0;
  let waiting = '';

  function flush(): void {
    const text = waiting;
    waiting = '';
    if (text !== '' && output.writable) output.write(text);
  }

  return {
    write(line) {
      if (!output.writable || output.writableLength + waiting.length > max) {
        missing += 1;
        return;
      }
      if (waiting === '') setImmediate(flush);
      if (missing > 0) {
        waiting += `${dropped(missing)}\n`;
        missing = 0;
      }
      waiting += `${line}\n`;
    },
    flush,
  };
}

/** Has neither output of this process end it. */
export function outliveReaders(): void {
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);
}

const droppedLine = (lines: number) =>
  JSON.stringify({ time: new Date().toISOString(), level: 'warn', event: 'log_lines_dropped', lines });

const standardOutput = createLineWriter(process.stdout, droppedLine);
// Also the last words of a process that ends at once.
process.on('exit', standardOutput.flush);

/** Writes a line of the log to the standard output. */
export const writeLogLine = standardOutput.write;
