import { describe, expect, it } from 'vitest';
import { isKnown, requiredTags } from '../../src/http/conditional.ts';

describe('conditional headers', () => {
  it.each([
    ['"a"', true],
    ['W/"a"', true],
    ['*', true],
    ['"b" ,, "a,b",\t"a"', true],
    [undefined, false],
    ['', false],
    ['"b"', false],
    ['a', false],
    ['"a"x', false],
    ['w/"a"', false],
    ['"a", b', false],
    ['*, "a"', false],
  ])('If-None-Match: %s of "a" is known: %s', (header, known) => {
    expect(isKnown(header, '"a"')).toBe(known);
  });

  it.each([
    [undefined, undefined],
    ['*', undefined],
    ['"a", W/"b", "c"', ['"a"', '"b"', '"c"']],
    // What nginx makes of ours when it packs the answer.
    ['W/"a"', ['"a"']],
    ['w/"a"', []],
    ['', []],
    ['"a" "b"', []],
    ['"a', []],
  ])('If-Match: %s requires %j', (header, tags) => {
    expect(requiredTags(header)).toEqual(tags);
  });

  it('of a million characters are read: time that grew with the square of the length would end no test', () => {
    for (const part of ['"', ' ', ',', 'W/', '"a" ', '\t,']) {
      expect(requiredTags(`${part.repeat(1_000_000)}x`)).toBeInstanceOf(Array);
    }
  });
});
