import { describe, expect, it } from 'vitest';
import { judge } from '../../src/sessions/reuse.ts';

const grace = 30_000;
/** @param ages in milliseconds, of the current generation and of the one before it */
const verdict = (shown: number, current: number, ages: readonly [number, number], elapsed: number) =>
  judge(shown, { generation: current, current_for: ages[0], previous_for: ages[1] }, { grace, elapsed });

describe('a refresh token', () => {
  it('is good where it stepped the session just now, or leaves it at its first generation', () => {
    expect(verdict(4, 5, [0, 900_000], 10)).toBe('good');
    expect(verdict(0, 0, [900_000, 900_000], 10)).toBe('good');
  });

  it('is good again within the grace window, and is reused after it', () => {
    expect(verdict(4, 5, [grace, 900_000], 10)).toBe('good');
    expect(verdict(4, 5, [grace + 11, 900_000], 10)).toBe('reused');
  });

  it('proves nothing where the window closed while the request was under way', () => {
    expect(verdict(4, 5, [grace + 10, 900_000], 10)).toBe('unclear');
  });

  it('is reused where its successor was used before the request began', () => {
    expect(verdict(4, 6, [11, 20], 10)).toBe('reused');
    expect(verdict(4, 7, [1, 11], 10)).toBe('reused');
  });

  it('proves nothing where its successor was used while the request was under way', () => {
    expect(verdict(4, 6, [10, 20], 10)).toBe('unclear');
    expect(verdict(4, 7, [1, 10], 10)).toBe('unclear');
  });

  it('is reused where its successor is older than the grace window, whatever happens at this moment', () => {
    expect(verdict(4, 6, [1, grace + 11], 10)).toBe('reused');
    expect(verdict(4, 40, [1, 5_000], 10)).toBe('reused');
  });
});
