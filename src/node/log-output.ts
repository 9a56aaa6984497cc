import type { Writable } from 'node:stream';

/** So many bytes wait for whoever reads the log; what comes then is dropped, and counted. */
const mostWaiting = 2 ** 20;

/**
 * Writes lines to an output that nobody may read any more, or slowly: the service outlives it, and keeps a bounded part.
 * Where lines were dropped, one says how many when there is room again.
 * @param dropped makes the line that tells of them
 */
export function createLineWriter(
  output: Writable,
  dropped: (lines: number) => string,
  most = mostWaiting,
): (line: string) => void {
  // Without a listener an output that was closed (EPIPE) ends the process.
  output.on('error', () => undefined);
  let missing = 0;
  return (line) => {
    if (!output.writable || output.writableLength > most) {
      missing += 1;
      return;
    }
    if (missing > 0) {
      output.write(`${dropped(missing)}\n`);
      missing = 0;
    }
    output.write(`${line}\n`);
  };
}

/** Has neither output of this process end it. */
export function outliveReaders(): void {
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);
}

const droppedLine = (lines: number) =>
  JSON.stringify({ time: new Date().toISOString(), level: 'warn', event: 'log_lines_dropped', lines });

/** A line of the log, on the standard output. */
export const writeLogLine: (line: string) => void = createLineWriter(process.stdout, droppedLine);
