/** A line, numbered from 1; null where it is too long or not UTF-8, and was skipped. */
export interface Line {
  readonly number: number;
  readonly text: string | null;
}

const newline = 0x0a;

/**
 * Splits a stream of bytes at its newlines. Holds one line at a time, and of one that is too long nothing.
 * @param longest in bytes
 */
export async function* readLines(stream: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  let number = 0;
  let parts: Uint8Array[] = [];
  let length = 0;

  function finish(): Line {
    number += 1;
    const bytes = length > longest ? null : Buffer.concat(parts);
    parts = [];
    length = 0;
    return { number, text: bytes === null ? null : decode(bytes) };
  }

  function decode(bytes: Uint8Array): string | null {
    try {
      return decoder.decode(bytes);
    } catch {
      return null;
    }
  }

  function take(part: Uint8Array): void {
    length += part.length;
    if (length > longest) parts = [];
    else parts.push(part);
  }

  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      take(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    take(chunk.subarray(start));
  }
  if (length > 0) yield finish();
}
