/**
 * Drops the lines that workerd writes about each connection that a test refuses or breaks on purpose: the exception and
 * its stack, in addresses. Everything else that it says is printed.
 */
export function quietWorkerd(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (chunk: string | Uint8Array, ...rest: never[]) => {
      if (typeof chunk !== 'string') return write(chunk, ...rest);
      const kept = chunk.split(/(?<=\n)/).filter((line) => !isExpected(line));
      return kept.length === 0 || write(kept.join(''), ...rest);
    };
  }
}

/** Names a refused or a broken connection, or holds nothing but addresses in workerd. */
const isExpected = (line: string) =>
  /^(?:uncaught exception; |exception = ).*(?:Network connection lost|disconnected: )/.test(line) ||
  /^stack: (?:\S*workerd\S*@[0-9a-f]+\s*)+$/.test(line);
