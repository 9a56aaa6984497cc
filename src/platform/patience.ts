/** A wait is made of so many slices. */
const slices = 6;

/**
 * Waits for somebody else, and calls `giveUp` when that takes too long. Time in which our own event loop was held up is
 * not counted: a slice of the wait ends when the loop gets to it, however late that is. What arrived meanwhile is read
 * before it gives up.
 * @param milliseconds how long it may take
 * @returns what ends the wait
 */
export function startPatience(milliseconds: number, giveUp: () => void): () => void {
  let left = slices;
  const next = () => {
    left -= 1;
    if (left > 0) timer = setTimeout(next, milliseconds / slices);
    // One turn more, in which the loop reads what waits in its sockets.
    else timer = setTimeout(giveUp, 0);
  };
  let timer = setTimeout(next, milliseconds / slices);
  return () => clearTimeout(timer);
}
