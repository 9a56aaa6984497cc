import { FormatError } from './format.ts';

/** Bytes. A document is parsed as a whole, unlike NDJSON of our own. */
const LONGEST_DOCUMENT = 512 * 1024 * 1024;

/**
 * Reads a whole export: a JSON document, or a line of JSON for each entry, which make a list.
 * @throws {FormatError} naming no value
 */
export async function readDocument(input: AsyncIterable<Uint8Array>): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of input) {
    length += part.length;
    if (length > LONGEST_DOCUMENT) throw new FormatError('The file is larger than 512 MiB: split it');
    parts.push(part);
  }
  const text = decode(Buffer.concat(parts));
  const whole = parse(text);
  if (whole !== undefined) return whole;
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const value = parse(line);
    if (value === undefined) throw new FormatError(`Not JSON: neither the file as a whole, nor line ${index + 1}`);
    return [value];
  });
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new FormatError('Not UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
