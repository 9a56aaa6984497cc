import type { Writable } from 'node:stream';

/** A terminal, or what is piped in. */
export interface Input extends AsyncIterable<unknown> {
  readonly isTTY?: boolean;
  readonly setRawMode?: (isRaw: boolean) => unknown;
  readonly pause?: () => unknown;
}

/**
 * Reads a password: typed twice at a terminal, without showing it, or the first line of what is piped in.
 * @throws where the two differ, or it was broken off
 */
export async function readPassword(input: Input, output: Writable): Promise<string> {
  if (input.isTTY !== true) return await readLine(input);
  input.setRawMode?.(true);
  try {
    const keys = keysOf(input);
    const [first, second] = [await typed(keys, output, 'Password: '), await typed(keys, output, 'Repeat it: ')];
    if (first !== second) throw new Error('The two passwords differ');
    return first;
  } finally {
    input.setRawMode?.(false);
    input.pause?.();
  }
}

/** Characters one by one, also where one is spread over two chunks. */
async function* keysOf(input: Input): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  for await (const chunk of input) {
    yield* chunk instanceof Uint8Array ? decoder.decode(chunk, { stream: true }) : String(chunk);
  }
}

async function typed(keys: AsyncGenerator<string, void>, output: Writable, prompt: string): Promise<string> {
  output.write(prompt);
  const characters: string[] = [];
  for (;;) {
    const { value: key, done } = await keys.next();
    if (done === true || key === undefined || key === '\u0003' || key === '\u0004') throw new Error('Cancelled');
    if (key === '\r' || key === '\n') break;
    if (key === '\u007f' || key === '\b') characters.pop();
    else characters.push(key);
  }
  output.write('\n');
  return characters.join('');
}

async function readLine(input: Input): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input) chunks.push(chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk)));
  const [line = ''] = Buffer.concat(chunks).toString('utf8').split(/\r?\n/);
  return line;
}
