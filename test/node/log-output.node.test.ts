// On Node only: on Workers the platform takes the log.
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLineWriter } from '../../src/node/log-output.ts';

/** An output whose reader takes nothing until it is told to. */
function slowOutput() {
  const taken: string[] = [];
  let go: (() => void) | undefined;
  let isSlow = true;
  const output = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      taken.push(String(chunk));
      if (isSlow) go = done;
      else done();
    },
  });
  const release = async () => {
    isSlow = false;
    go?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { output, taken, release };
}

describe('the output of the log', () => {
  it('holds a bounded part for a slow reader, and says how many lines are missing', async () => {
    const { output, taken, release } = slowOutput();
    const { write, flush } = createLineWriter(output, (lines) => `missing ${lines}`, 1000);
    for (let line = 0; line < 500; line += 1) {
      write('x'.repeat(99));
      flush();
    }
    expect(output.writableLength).toBeLessThan(1200);
    await release();
    write('later');
    flush();
    await release();
    const missing = 500 - (taken.length - 1);
    expect(taken.at(-1)).toBe(`missing ${missing}\nlater\n`);
  });

  it('gets all lines of a turn at once', async () => {
    const { output, taken, release } = slowOutput();
    const { write } = createLineWriter(output, String);
    for (const line of ['a', 'b', 'c']) write(line);
    expect(taken).toEqual([]);
    await release();
    expect(taken).toEqual(['a\nb\nc\n']);
  });

  it('is outlived where nobody reads it any more', async () => {
    const closed = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    const { write } = createLineWriter(closed, String);
    for (let line = 0; line < 3; line += 1) {
      write('nobody reads this');
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(closed.destroyed).toBe(true);
  });
});
