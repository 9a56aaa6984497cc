/**
 * How many letters have to be put in, left out, replaced or swapped with their neighbour to make one text of the other
 * (optimal string alignment).
 */
export function howFar(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const [left, above, diagonal] = [current[column - 1] ?? 0, previous[column] ?? 0, previous[column - 1] ?? 0];
      const isSame = a[row - 1] === b[column - 1];
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swapped = isSwap ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(left + 1, above + 1, diagonal + (isSame ? 0 : 1), swapped));
    }
    [before, previous] = [previous, current];
  }
  return previous[b.length] ?? 0;
}
